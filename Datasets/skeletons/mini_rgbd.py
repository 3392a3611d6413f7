"""MINI-RGBD: the 25 joints of the SMIL infant model (Hesse et al., 2018)."""

from Datasets.skeletons.skeleton import Skeleton, on_both_sides, paths, sigmas_of

_JOINTS = (
    *("pelvis", "left_hip", "right_hip", "spine", "left_knee", "right_knee"),
    *("spine1", "left_ankle", "right_ankle", "spine2", "left_toes", "right_toes"),
    *("neck", "left_collar", "right_collar", "head", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_fingers", "right_fingers", "nose"),
)

MINI_RGBD_25 = Skeleton(
    name="mini_rgbd_25",
    joints=_JOINTS,
    bones=(
        *paths("pelvis spine spine1 spine2 neck head nose"),
        *on_both_sides(
            "pelvis *_hip *_knee *_ankle *_toes",
            "neck *_collar *_shoulder *_elbow *_wrist *_fingers",
        ),
    ),
    root="pelvis",
    head_segment=("neck", "head"),
    sigmas=sigmas_of(_JOINTS, spine2=0.079, head=0.079),
)

PUBLISHED_16 = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("pelvis", "spine2", "neck", "nose"),
    *("right_wrist", "right_elbow", "right_shoulder"),
    *("left_shoulder", "left_elbow", "left_wrist"),
)
"""The joints of the published 16-joint protocol (Ellershaw), in MPII order, by MINI-RGBD name:
``spine2`` stands for thorax, ``neck`` for upper neck and the nose vertex for head top."""

ZEDO_17 = (
    *("pelvis", "right_hip", "right_knee", "right_toes"),
    *("left_hip", "left_knee", "left_toes", "spine", "spine2", "neck", "head"),
    *("left_collar", "left_elbow", "left_wrist"),
    *("right_collar", "right_elbow", "right_wrist"),
)
"""The joints of ZeDO-i's protocol, root first, by MINI-RGBD name: toes stand for ankles and collars
for shoulders."""
