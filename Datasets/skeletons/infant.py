"""The canonical superset: COCO-17, the trunk of MPII-16, and the toes and fingers of MINI-RGBD-25.

Networks predict this skeleton; each data set supervises the joints that it has (``convert.py``).
"""

from Datasets.skeletons.coco import COCO_17, COCO_BONES, COCO_PAIRS
from Datasets.skeletons.skeleton import Skeleton

INFANT = Skeleton(
    name="infant",
    joints=(
        *COCO_17.joints,
        *("pelvis", "thorax", "upper_neck", "head_top"),
        *("left_fingers", "right_fingers", "left_toes", "right_toes"),
    ),
    bones=(
        ("pelvis", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "nose"),
        ("upper_neck", "head_top"),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        ("upper_neck", "left_shoulder"),
        ("upper_neck", "right_shoulder"),
        *(
            bone
            for bone in COCO_BONES
            if not {"left_shoulder", "left_hip"} >= set(bone)
            and not {"right_shoulder", "right_hip"} >= set(bone)
            and bone not in {("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")}
        ),
        ("left_wrist", "left_fingers"),
        ("right_wrist", "right_fingers"),
        ("left_ankle", "left_toes"),
        ("right_ankle", "right_toes"),
    ),
    pairs=(*COCO_PAIRS, ("left_fingers", "right_fingers"), ("left_toes", "right_toes")),
    root="pelvis",
    head_segment=("upper_neck", "head_top"),
    sigmas=(*COCO_17.sigmas, 0.107, 0.079, 0.079, 0.026, 0.062, 0.062, 0.089, 0.089),
)
