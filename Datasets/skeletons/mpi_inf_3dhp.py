"""MPI-INF-3DHP: 28 joints of the training set, 17 of the test set (Mehta et al., 2017)."""

from Datasets.skeletons.mpii import LEGS_AND_ARMS, LIMB_PAIRS
from Datasets.skeletons.skeleton import Skeleton

_TRUNK_28 = (
    ("pelvis", "spine"),
    ("spine", "spine2"),
    ("spine2", "spine3"),
    ("spine3", "spine4"),
    ("spine4", "neck"),
    ("neck", "head"),
    ("head", "head_top"),
)

_SIDES_28 = tuple(
    bone
    for side in ("left", "right")
    for bone in (
        ("spine4", f"{side}_clavicle"),
        (f"{side}_clavicle", f"{side}_shoulder"),
        (f"{side}_wrist", f"{side}_hand"),
        ("pelvis", f"{side}_hip"),
        (f"{side}_ankle", f"{side}_foot"),
        (f"{side}_foot", f"{side}_toe"),
    )
)

_EXTRA_PAIRS = tuple(
    (f"left_{part}", f"right_{part}") for part in ("clavicle", "hand", "foot", "toe")
)

MPI_INF_28 = Skeleton(
    name="mpi_inf_28",
    joints=(
        *("spine3", "spine4", "spine2", "spine", "pelvis", "neck", "head", "head_top"),
        *(
            f"{side}_{part}"
            for side in ("left", "right")
            for part in ("clavicle", "shoulder", "elbow", "wrist", "hand")
        ),
        *(
            f"{side}_{part}"
            for side in ("left", "right")
            for part in ("hip", "knee", "ankle", "foot", "toe")
        ),
    ),
    bones=(*_TRUNK_28, *_SIDES_28, *LEGS_AND_ARMS),
    pairs=(*LIMB_PAIRS, *_EXTRA_PAIRS),
    root="pelvis",
    head_segment=("neck", "head_top"),
    sigmas=(
        *(0.107, 0.107, 0.107, 0.107, 0.107, 0.079, 0.035, 0.026),
        *(0.079, 0.079, 0.072, 0.062, 0.062) * 2,
        *(0.107, 0.087, 0.089, 0.089, 0.089) * 2,
    ),
)

MPI_INF_17 = Skeleton(
    name="mpi_inf_17",
    joints=(
        *("head_top", "neck", "right_shoulder", "right_elbow", "right_wrist"),
        *("left_shoulder", "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle"),
        *("left_hip", "left_knee", "left_ankle", "pelvis", "spine", "head"),
    ),
    bones=(
        ("pelvis", "spine"),
        ("spine", "neck"),
        ("neck", "head"),
        ("head", "head_top"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        *LEGS_AND_ARMS,
    ),
    pairs=LIMB_PAIRS,
    root="pelvis",
    head_segment=("neck", "head_top"),
    sigmas=(
        *(0.026, 0.079, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062),
        *(0.107, 0.087, 0.089, 0.107, 0.087, 0.089, 0.107, 0.107, 0.035),
    ),
)
"""The "relevant" joints of the test set; their names pick the same ones out of the 28."""
