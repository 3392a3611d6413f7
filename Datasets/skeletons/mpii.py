"""MPII Human Pose: 16 joints (Andriluka et al., 2014)."""

from Datasets.skeletons.skeleton import Skeleton

LIMB_PAIRS = tuple(
    (f"left_{part}", f"right_{part}")
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)

LEGS_AND_ARMS = tuple(
    bone
    for side in ("left", "right")
    for bone in (
        (f"{side}_hip", f"{side}_knee"),
        (f"{side}_knee", f"{side}_ankle"),
        (f"{side}_shoulder", f"{side}_elbow"),
        (f"{side}_elbow", f"{side}_wrist"),
    )
)

MPII_16 = Skeleton(
    name="mpii_16",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    bones=(
        ("pelvis", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        ("thorax", "left_shoulder"),
        ("thorax", "right_shoulder"),
        *LEGS_AND_ARMS,
    ),
    pairs=LIMB_PAIRS,
    root="pelvis",
    head_segment=("upper_neck", "head_top"),
    sigmas=(
        *(0.089, 0.087, 0.107, 0.107, 0.087, 0.089),
        *(0.107, 0.079, 0.079, 0.026),
        *(0.062, 0.072, 0.079, 0.079, 0.072, 0.062),
    ),
)
