"""Average precision of photos: intervals are over sources, since photos of one video are alike."""

from pathlib import Path

import numpy as np
import pytest

from Datasets.skeletons import COCO_17
from Datasets.structures import PoseSample
from PoseEstimation.evaluation.photo_ap import ap_interval, keypoint_ap


def photos(sources, each, right):
    """Photos of videos, and results that are right in the first ``right`` of them."""
    samples, results = [], []
    for number in range(sources * each):
        points = np.random.default_rng(number).uniform(0, 100, (17, 2))
        samples.append(
            PoseSample(
                Path(f"{number}.png"),
                COCO_17,
                points,
                np.full(17, 2, np.uint8),
                box_xyxy=np.array([0.0, 0, 100, 100]),
                area_px=6000.0,
                image_id=number,
                sequence=f"video {number // each}",
            )
        )
        off = 0 if number // each < right else 500
        row = np.column_stack([points + off, np.ones(17)]).ravel().tolist()
        results.append({"image_id": number, "category_id": 1, "keypoints": row, "score": 1.0})
    return samples, results


def test_the_interval_is_over_sources_not_over_photos():
    few, many = photos(6, 8, right=3), photos(48, 1, right=24)
    assert keypoint_ap(*few)["ap"] == pytest.approx(keypoint_ap(*many)["ap"], abs=1)
    (low, high), (low_many, high_many) = ap_interval(*few), ap_interval(*many)
    assert high - low > 2 * (high_many - low_many)


def test_two_sources_say_nothing_of_others_however_many_their_photos():
    assert ap_interval(*photos(2, 10, right=1)) is None
    assert ap_interval(*photos(5, 1, right=3)) is not None
