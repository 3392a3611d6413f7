"""COCO keypoints: 17 joints, left before right (Lin et al., 2014)."""

from Datasets.skeletons.skeleton import Skeleton, paths, sigmas_of

_PARTS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_JOINTS = ("nose", *(f"{side}_{part}" for part in _PARTS for side in ("left", "right")))

COCO_BONES = paths(
    *("nose left_eye", "nose right_eye", "left_eye left_ear", "right_eye right_ear"),
    *("left_shoulder right_shoulder", "left_shoulder left_elbow left_wrist"),
    *("right_shoulder right_elbow right_wrist", "left_shoulder left_hip"),
    *("right_shoulder right_hip", "left_hip right_hip", "left_hip left_knee left_ankle"),
    "right_hip right_knee right_ankle",
)

COCO_17 = Skeleton(
    name="coco_17",
    joints=_JOINTS,
    bones=COCO_BONES,
    root="left_hip",
    head_segment=None,
    sigmas=sigmas_of(_JOINTS),
)
