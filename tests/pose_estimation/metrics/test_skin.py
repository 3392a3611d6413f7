"""Skin in a photo: known colours have known angles, and what cannot be told is not."""

import numpy as np
import pytest

from Datasets.skeletons import COCO_17
from PoseEstimation.metrics.skin import skin_class, typology_angle

NOSE, LEFT, RIGHT = COCO_17.indices(["nose", "left_eye", "right_eye"])


def face():
    """Joints of a face in the middle of a picture of 60 x 60."""
    points = np.full((17, 2), np.nan)
    points[NOSE], points[LEFT], points[RIGHT] = (30, 38), (38, 28), (22, 28)
    return points


def picture(colour, around=(0, 0, 255)):
    """A face of one colour before a background of another."""
    rows, columns = np.indices((60, 60))
    inside = (columns - 30) ** 2 + (rows - 32) ** 2 < 15**2
    return np.where(inside[..., None], np.uint8(colour), np.uint8(around))


@pytest.mark.parametrize(
    ("colour", "lightness", "yellow"),
    [((200, 160, 130), 69.0, 22), ((90, 60, 45), 28.6, 15), ((255, 0, 0), 54.1, 70)],
)
def test_the_angle_is_that_of_the_colour_in_cielab(colour, lightness, yellow):
    expected = np.degrees(np.arctan2(lightness - 50, yellow))
    assert typology_angle(picture(colour), face()) == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((240, 205, 185), "light"), ((190, 145, 115), "medium"), ((80, 55, 45), "dark")],
)
def test_the_background_does_not_count(colour, expected):
    for around in ((0, 0, 0), (255, 255, 255), (20, 200, 30)):
        assert skin_class(picture(colour, around), face()) == expected


def test_one_eye_is_enough_and_none_is_not():
    points = face()
    points[LEFT] = np.nan
    assert skin_class(picture((240, 205, 185)), points) == "light"
    points[RIGHT] = np.nan
    assert skin_class(picture((240, 205, 185)), points) == "unknown"


def test_a_grey_picture_and_a_face_outside_have_no_tone():
    assert skin_class(picture((150, 150, 150)), face()) == "unknown"
    assert skin_class(picture((240, 205, 185)), face() + 500) == "unknown"


def test_blue_light_has_no_tone():
    assert skin_class(picture((120, 140, 200)), face()) == "unknown"
    assert skin_class(picture((235, 240, 255)), face()) == "unknown"
