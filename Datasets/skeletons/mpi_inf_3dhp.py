"""MPI-INF-3DHP: 28 joints of the training set, 17 of the test set (Mehta et al., 2017)."""

from Datasets.skeletons.mpii import LEGS_AND_ARMS
from Datasets.skeletons.skeleton import SIDES, Skeleton, on_both_sides, paths, sigmas_of

_ARM = ("clavicle", "shoulder", "elbow", "wrist", "hand")
_LEG = ("hip", "knee", "ankle", "foot", "toe")
_JOINTS_28 = (
    *("spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top"),
    *(f"{side}_{part}" for limb in (_ARM, _LEG) for side in SIDES for part in limb),
)
_JOINTS_17 = (
    *("head_top", "neck", "right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle"),
    *("left_hip", "left_knee", "left_ankle", "pelvis", "spine", "head"),
)

MPI_INF_28 = Skeleton(
    name="mpi_inf_28",
    joints=_JOINTS_28,
    bones=(
        *paths("pelvis spine spine2 spine3 spine4 neck head head_top"),
        *on_both_sides(
            "spine4 *_clavicle *_shoulder", "*_wrist *_hand", "pelvis *_hip", "*_ankle *_foot *_toe"
        ),
        *LEGS_AND_ARMS,
    ),
    root="pelvis",
    head_segment=("neck", "head_top"),
    sigmas=sigmas_of(_JOINTS_28),
)

MPI_INF_17 = Skeleton(
    name="mpi_inf_17",
    joints=_JOINTS_17,
    bones=(
        *paths("pelvis spine neck head head_top"),
        *on_both_sides("neck *_shoulder"),
        *on_both_sides("pelvis *_hip"),
        *LEGS_AND_ARMS,
    ),
    root="pelvis",
    head_segment=("neck", "head_top"),
    sigmas=sigmas_of(_JOINTS_17),
)
"""The "relevant" joints of the test set; their names pick the same ones out of the 28."""
