"""The operating point: false positives in at most so many images."""

import numpy as np
import pytest
import torch
from scenes import write_people

from Datasets.readers.coco import open_coco
from Datasets.skeletons import COCO_17
from Datasets.structures import Dataset
from Engine.errors import DataError
from FasterRCNN.candidates import MIN_SCORE
from FasterRCNN.detector import InfantDetector, save_detector
from FasterRCNN.evaluate import evaluate_detector
from FasterRCNN.model import build_detector
from FasterRCNN.operating_point import choose_operating_point, lowest_score
from FasterRCNN.settings import DetectorSettings

SMALL = DetectorSettings(min_size=64, max_size=128, box_head=16)
BABY, CARER = ("infant", (60.0, 40.0), (18.0, 11.0)), ("adult", (20.0, 36.0), (12.0, 30.0))


@pytest.mark.parametrize(
    ("percent", "above"),
    [(0, 0.9), (10, 0.8), (19, 0.8), (20, 0.7), (30, MIN_SCORE), (100, MIN_SCORE)],
)
def test_at_most_so_many_percent_of_images_have_a_false_positive(percent, above):
    highest = [0.0, 0.8, 0.0, 0.9, 0.7, 0.2, 0.0, 0.0, 0.0, 0.0]
    found = lowest_score(highest, percent)
    assert found == pytest.approx(above, abs=1e-12) and found >= MIN_SCORE
    rate = np.mean([score >= found for score in highest])
    assert rate <= percent / 100


@pytest.fixture(scope="module")
def careless(tmp_path_factory):
    """Weights of a detector with a high score of infant for nearly every box."""
    torch.manual_seed(1)
    network = build_detector(SMALL)
    torch.nn.init.normal_(network.roi_heads.box_predictor.cls_score.weight, std=0.3)
    network.roi_heads.box_predictor.cls_score.bias.data = torch.tensor([0.0, 2.0, 0.0])
    path = tmp_path_factory.mktemp("careless") / "detector.safetensors"
    save_detector(path, network, SMALL)
    return path


def test_a_detector_at_its_operating_point_has_few_false_positives(careless, tmp_path):
    pictures = [(BABY, CARER), (CARER,), (BABY,), (), (CARER, BABY), ()]
    data = open_coco(write_people(tmp_path / "data", "train", *pictures), "train")
    before = evaluate_detector(InfantDetector.from_weights(careless), data)
    score = choose_operating_point(careless, tmp_path / "chosen.safetensors", data, 20.0)
    after = evaluate_detector(InfantDetector.from_weights(tmp_path / "chosen.safetensors"), data)
    assert before["mistaken_rate"] > 50 >= 20 >= after["mistaken_rate"]
    assert MIN_SCORE < score < 1
    assert after["box_ap50_ranked"] == before["box_ap50_ranked"] >= after["box_ap50"]


def test_the_operating_point_is_stored_in_the_weights_until_the_user_gives_another(
    careless, tmp_path
):
    data = open_coco(write_people(tmp_path / "data", "train", (BABY, CARER), (), (CARER,)), "train")
    chosen = tmp_path / "chosen.safetensors"
    score = choose_operating_point(careless, chosen, data, 0.0)
    assert InfantDetector.from_weights(careless).min_score == MIN_SCORE
    assert InfantDetector.from_weights(chosen).min_score == score
    assert InfantDetector.from_weights(chosen, min_score=0.1).min_score == 0.1
    once = choose_operating_point(chosen, tmp_path / "again.safetensors", data, 0.0)
    assert once == score


def test_without_images_there_is_no_operating_point(careless, tmp_path):
    with pytest.raises(DataError, match="no images"):
        choose_operating_point(
            careless, tmp_path / "x.safetensors", Dataset("none", tmp_path, COCO_17, ()), 4.0
        )
