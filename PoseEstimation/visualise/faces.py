"""Faces made unrecognisable before anything is drawn.

In doubt more is blurred: the whole box when the face's joints are unsure, the whole frame without
infant. Other people in the picture are not found and not blurred.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from Datasets.skeletons import Skeleton
from PoseEstimation.result import FrameResult, InfantPose

FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top", "upper_neck")
SURE = 0.5
MARGIN = 1.3
BLUR_SHARE = 0.25
"""Standard deviation of the blur over the radius of the area."""


def blur_faces(image: Image.Image, frame: FrameResult, skeleton: Skeleton) -> Image.Image:
    """Return a copy in which no infant's face can be recognised.

    Args:
        image: the upright frame.
        frame: its result.
        skeleton: convention of the joints.
    """
    areas = [_area(infant, skeleton) for infant in frame.infants]
    areas = areas or [(image.width / 2, image.height / 2, float(sum(image.size)))]
    for x, y, radius in areas:
        blurred = image.filter(ImageFilter.GaussianBlur(max(3.0, BLUR_SHARE * radius)))
        mask = Image.new("L", image.size)
        ellipse = (x - radius, y - radius, x + radius, y + radius)
        ImageDraw.Draw(mask).ellipse(ellipse, fill=255)
        image = Image.composite(blurred, image, mask)
    return image


def _area(infant: InfantPose, skeleton: Skeleton) -> tuple[float, float, float]:
    """Centre and radius in pixels of the circle to blur."""
    joints = skeleton.indices([joint for joint in FACE if joint in skeleton.joints])
    points, scores = infant.keypoints_px[joints], infant.keypoint_scores[joints]
    sure = np.isfinite(points).all(axis=1) & (scores >= SURE)
    if sure.sum() >= 4:
        centre = points[sure].mean(axis=0)
        return *centre, MARGIN * float(np.linalg.norm(points[sure] - centre, axis=1).max())
    x1, y1, x2, y2 = infant.box_xyxy
    return (x1 + x2) / 2, (y1 + y2) / 2, float(np.hypot(x2 - x1, y2 - y1)) / 2
