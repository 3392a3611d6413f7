"""Suspected boxes: everything that the network finds, of any class and score."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from backends import Answers
from PIL import Image

from Datasets.geometry.boxes import iou
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL
from Engine.backends import TorchBackend
from FasterRCNN.detector import InfantDetector
from FasterRCNN.model import build_detector
from FasterRCNN.rescoring import RescoringNetwork
from FasterRCNN.settings import DetectorSettings

SMALL = DetectorSettings(min_size=72, max_size=128, box_head=16)
TWIN, LATE, CARER, DOUBTFUL, SHIFTED = (
    [0.0, 0, 40, 30],
    [50.0, 0, 90, 30],
    [0.0, 40, 40, 70],
    [50.0, 40, 90, 70],
    [1.0, 0, 40, 30],
)


PEOPLE = [
    (TWIN, 0.95, INFANT_LABEL),
    (LATE, 0.9, INFANT_LABEL),
    (CARER, 0.06, ADULT_LABEL),
    (DOUBTFUL, 0.05, INFANT_LABEL),
    (SHIFTED, 0.3, ADULT_LABEL),
]


def detect(network, **rule):
    return InfantDetector(network, SMALL, **rule)(Image.new("RGB", (96, 72)))


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[:2]])
def test_every_box_of_any_class_and_score_is_suspected_once(classes):
    network = Answers(PEOPLE)
    found = detect(network, max_infants=1, classes=classes)
    np.testing.assert_allclose(found.boxes_xyxy, [TWIN], atol=1e-5)
    expected = [TWIN, LATE, CARER, DOUBTFUL]
    np.testing.assert_allclose(found.suspected_xyxy, expected, atol=1e-5)
    assert len(network.sizes) == 1


def test_a_higher_operating_point_leaves_the_suspected_boxes():
    strict = detect(Answers(PEOPLE), min_score=0.99)
    assert len(strict) == 0 and len(strict.suspected_xyxy) == 4


def test_an_empty_picture_has_no_suspected_box():
    assert detect(Answers([])).suspected_xyxy.shape == (0, 4)


def test_a_refined_box_is_among_the_suspected():
    moved = [([0.0, 0, 60, 48], 0.9, INFANT_LABEL)]
    network = Answers(PEOPLE[:1], moved)
    found = detect(network, refine=True)
    assert iou(found.boxes_xyxy, np.array([TWIN]))[0, 0] < 0.9 and len(network.sizes) == 2
    np.testing.assert_allclose(found.suspected_xyxy, [*found.boxes_xyxy, TWIN], atol=1e-5)


def test_boxes_that_rescoring_rejects_stay_suspected():
    torch.manual_seed(0)
    network = RescoringNetwork()
    with torch.no_grad():
        network.head[-1].bias.copy_(torch.tensor([50.0, 0.0, 0.0]))
    found = detect(Answers(PEOPLE), rescoring=TorchBackend(network))
    assert len(found) == len(found.adults_xyxy) == 0
    assert len(found.suspected_xyxy) == 4


def test_the_networks_lowest_score_is_low():
    assert build_detector(SMALL).roi_heads.score_thresh <= 0.05
