"""Leeds Sports Pose (Johnson & Everingham, 2010) and SLP (Liu et al., 2022): 14 joints each."""

from dataclasses import replace

from Datasets.skeletons.mpii import LEGS_AND_ARMS, LIMB_PAIRS
from Datasets.skeletons.skeleton import Skeleton

LSP_14 = Skeleton(
    name="lsp_14",
    joints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "neck",
        "head_top",
    ),
    bones=(
        ("neck", "head_top"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_hip", "right_hip"),
        *LEGS_AND_ARMS,
    ),
    pairs=LIMB_PAIRS,
    root="neck",
    head_segment=("neck", "head_top"),
    sigmas=(
        *(0.089, 0.087, 0.107, 0.107, 0.087, 0.089),
        *(0.062, 0.072, 0.079, 0.079, 0.072, 0.062),
        *(0.079, 0.026),
    ),
)

SLP_14 = replace(
    LSP_14,
    name="slp_14",
    joints=tuple("thorax" if joint == "neck" else joint for joint in LSP_14.joints),
    bones=tuple(
        tuple("thorax" if joint == "neck" else joint for joint in bone) for bone in LSP_14.bones
    ),
    root="thorax",
    head_segment=("thorax", "head_top"),
)
"""LSP's order, with the thorax in the place of the neck."""
