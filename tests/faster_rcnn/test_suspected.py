"""Whomever the detector so much as suspects, from the pass that is made anyway."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from Datasets.geometry.boxes import iou
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL
from FasterRCNN.detector import InfantDetector
from FasterRCNN.model import build_detector
from FasterRCNN.rescoring import CloseUpNetwork
from FasterRCNN.settings import DetectorSettings

SMALL = DetectorSettings(min_size=72, max_size=128, box_head=16)
TWIN, LATE, CARER, DOUBTFUL, SHIFTED = (
    [0.0, 0, 40, 30],
    [50.0, 0, 90, 30],
    [0.0, 40, 40, 70],
    [50.0, 40, 90, 70],
    [1.0, 0, 40, 30],
)


class Answers(torch.nn.Module):
    """A network that says one thing of whole pictures, another of close-ups, and counts."""

    def __init__(self, whole, close=()):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.answers, self.calls = [whole, close], 0

    def forward(self, images):
        rows = self.answers[min(self.calls, 1)]
        self.calls += 1
        boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
        answer = {
            "boxes": torch.tensor(boxes).reshape(-1, 4).float(),
            "scores": torch.tensor(scores),
            "labels": torch.tensor(labels, dtype=torch.int64),
        }
        return [answer for _ in images]


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
def test_everybody_of_any_class_and_score_is_suspected_once(classes):
    network = Answers(PEOPLE)
    found = detect(network, max_infants=1, classes=classes)
    np.testing.assert_allclose(found.boxes_xyxy, [TWIN], atol=1e-5)
    expected = [TWIN, LATE, CARER, DOUBTFUL]
    np.testing.assert_allclose(found.suspected_xyxy, expected, atol=1e-5)
    assert network.calls == 1


def test_a_higher_threshold_suspects_no_fewer():
    strict = detect(Answers(PEOPLE), min_score=0.99)
    assert len(strict) == 0 and len(strict.suspected_xyxy) == 4


def test_nobody_is_suspected_in_an_empty_picture():
    assert detect(Answers([])).suspected_xyxy.shape == (0, 4)


def test_a_box_that_the_second_look_moved_is_among_the_suspected():
    moved = [([0.0, 0, 60, 48], 0.9, INFANT_LABEL)]
    network = Answers(PEOPLE[:1], moved)
    found = detect(network, second_look=True)
    assert iou(found.boxes_xyxy, [TWIN])[0, 0] < 0.9 and network.calls == 2
    np.testing.assert_allclose(found.suspected_xyxy, [*found.boxes_xyxy, TWIN], atol=1e-5)


def test_whom_the_judge_refuses_is_suspected_all_the_same():
    torch.manual_seed(0)
    judge = CloseUpNetwork().eval()
    with torch.no_grad():
        judge.head[-1].bias.copy_(torch.tensor([50.0, 0.0, 0.0]))
    found = detect(Answers(PEOPLE), close_up=judge)
    assert len(found) == len(found.adults_xyxy) == 0
    assert len(found.suspected_xyxy) == 4


def test_the_network_answers_from_a_low_score_on():
    assert build_detector(SMALL).roi_heads.score_thresh <= 0.05
