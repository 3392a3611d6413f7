"""The canonical superset: COCO-17, the trunk of MPII-16, and the toes and fingers of MINI-RGBD-25.

Networks predict this skeleton; each data set supervises the joints that it has (``convert.py``).
"""

from Datasets.skeletons.coco import COCO_17, COCO_BONES
from Datasets.skeletons.skeleton import Skeleton, on_both_sides, paths, sigmas_of

_JOINTS = (
    *COCO_17.joints,
    *("pelvis", "thorax", "upper_neck", "head_top"),
    *("left_fingers", "right_fingers", "left_toes", "right_toes"),
)
_COCO_TRUNK = paths("left_shoulder right_shoulder right_hip", "left_shoulder left_hip right_hip")

INFANT = Skeleton(
    name="infant",
    joints=_JOINTS,
    bones=(
        *paths("pelvis thorax upper_neck nose", "upper_neck head_top"),
        *on_both_sides("pelvis *_hip"),
        *on_both_sides("upper_neck *_shoulder"),
        *(bone for bone in COCO_BONES if bone not in _COCO_TRUNK),
        *on_both_sides("*_wrist *_fingers"),
        *on_both_sides("*_ankle *_toes"),
    ),
    root="pelvis",
    head_segment=("upper_neck", "head_top"),
    sigmas=sigmas_of(_JOINTS),
)
