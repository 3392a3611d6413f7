"""Names and numbers of MPII's files, shared by what reads and what writes them."""

from __future__ import annotations

MAT = "mpii_human_pose_v1_u12_1.mat"
HEAD_BOXES = "gt_valid.mat"
PERSON_PX = 200.0
"""A ``scale`` of 1 is a person this many pixels tall."""
CENTRE_DROP = 15.0
"""The official centre sits high: it is moved down by this times the scale."""
H5_SCALE = 1.25
"""The h5 files' scale over the annotated one."""
OFFICIAL_PEOPLE = {"train": 22_246, "valid": 2_958}
OFFICIAL_IMAGES = 24_987
H5_ARRAYS = {
    "center": (2,), "scale": (), "part": (16, 2), "visible": (16,), "normalize": (),
}  # fmt: skip
