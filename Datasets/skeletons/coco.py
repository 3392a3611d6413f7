"""COCO keypoints: 17 joints, left before right (Lin et al., 2014)."""

from Datasets.skeletons.skeleton import Skeleton

COCO_PAIRS = tuple(
    (f"left_{part}", f"right_{part}")
    for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)

COCO_BONES = (
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "right_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
)

COCO_17 = Skeleton(
    name="coco_17",
    joints=("nose", *(joint for pair in COCO_PAIRS for joint in pair)),
    bones=COCO_BONES,
    pairs=COCO_PAIRS,
    root="left_hip",
    head_segment=None,
    sigmas=(
        0.026,
        *(s for s in (0.025, 0.035, 0.079, 0.072, 0.062, 0.107, 0.087, 0.089) for _ in range(2)),
    ),
)
