"""How sure the detector has to be."""

import numpy as np
import pytest
import torch
from scenes import write_people

from Datasets.readers.coco import open_coco
from Datasets.skeletons import COCO_17
from Datasets.structures import Dataset
from Engine.errors import DataError
from FasterRCNN.detector import MIN_SCORE, InfantDetector, save_detector
from FasterRCNN.evaluate import evaluate_detector
from FasterRCNN.model import build_detector
from FasterRCNN.operating_point import make_cautious, sure_score
from FasterRCNN.settings import DetectorSettings

SMALL = DetectorSettings(min_size=64, max_size=128, box_head=16)
BABY, CARER = ("infant", (60.0, 40.0), (18.0, 11.0)), ("adult", (20.0, 36.0), (12.0, 30.0))


@pytest.mark.parametrize(
    ("percent", "above"),
    [(0, 0.9), (10, 0.8), (19, 0.8), (20, 0.7), (30, MIN_SCORE), (100, MIN_SCORE)],
)
def test_so_many_percent_of_the_worst_mistakes_pass(percent, above):
    worst = [0.0, 0.8, 0.0, 0.9, 0.7, 0.2, 0.0, 0.0, 0.0, 0.0]
    found = sure_score(worst, percent)
    assert found == pytest.approx(above, abs=1e-12) and found >= MIN_SCORE
    mistaken = np.mean([score >= found for score in worst])
    assert mistaken <= percent / 100


@pytest.fixture(scope="module")
def rash(tmp_path_factory):
    """Weights of a detector that takes nearly everything for an infant."""
    torch.manual_seed(1)
    network = build_detector(SMALL)
    torch.nn.init.normal_(network.roi_heads.box_predictor.cls_score.weight, std=0.3)
    network.roi_heads.box_predictor.cls_score.bias.data = torch.tensor([0.0, 2.0, 0.0])
    path = tmp_path_factory.mktemp("rash") / "detector.safetensors"
    save_detector(path, network, SMALL)
    return path


def test_a_cautious_detector_is_mistaken_in_few_images(rash, tmp_path):
    pictures = [(BABY, CARER), (CARER,), (BABY,), (), (CARER, BABY), ()]
    data = open_coco(write_people(tmp_path / "data", "train", *pictures), "train")
    before = evaluate_detector(InfantDetector.from_weights(rash), data)
    enough = make_cautious(rash, tmp_path / "cautious.safetensors", data, 20.0)
    after = evaluate_detector(InfantDetector.from_weights(tmp_path / "cautious.safetensors"), data)
    assert before["mistaken_rate"] > 50 >= 20 >= after["mistaken_rate"]
    assert MIN_SCORE < enough < 1
    assert after["box_ap50_ranked"] == before["box_ap50_ranked"] >= after["box_ap50"]


def test_the_score_that_is_enough_stands_in_the_weights_until_the_user_gives_another(
    rash, tmp_path
):
    data = open_coco(write_people(tmp_path / "data", "train", (BABY, CARER), (), (CARER,)), "train")
    cautious = tmp_path / "cautious.safetensors"
    enough = make_cautious(rash, cautious, data, 0.0)
    assert InfantDetector.from_weights(rash).min_score == MIN_SCORE
    assert InfantDetector.from_weights(cautious).min_score == enough
    assert InfantDetector.from_weights(cautious, min_score=0.1).min_score == 0.1
    once = make_cautious(cautious, tmp_path / "again.safetensors", data, 0.0)
    assert once == enough


def test_without_images_nothing_can_be_said(rash, tmp_path):
    with pytest.raises(DataError, match="no images"):
        make_cautious(rash, tmp_path / "x.safetensors", Dataset("none", tmp_path, COCO_17, ()), 4.0)
