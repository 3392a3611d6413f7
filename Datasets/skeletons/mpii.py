"""MPII Human Pose: 16 joints (Andriluka et al., 2014)."""

from Datasets.skeletons.skeleton import Skeleton, on_both_sides, paths, sigmas_of

LEGS_AND_ARMS = on_both_sides("*_hip *_knee *_ankle", "*_shoulder *_elbow *_wrist")

_JOINTS = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("pelvis", "thorax", "upper_neck", "head_top"),
    *("right_wrist", "right_elbow", "right_shoulder"),
    *("left_shoulder", "left_elbow", "left_wrist"),
)

MPII_16 = Skeleton(
    name="mpii_16",
    joints=_JOINTS,
    bones=(
        *paths("pelvis thorax upper_neck head_top"),
        *on_both_sides("pelvis *_hip"),
        *on_both_sides("thorax *_shoulder"),
        *LEGS_AND_ARMS,
    ),
    root="pelvis",
    head_segment=("upper_neck", "head_top"),
    sigmas=sigmas_of(_JOINTS),
)
