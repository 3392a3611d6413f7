"""Box re-scoring: its training data, its effect on detections, its weights, its recipe."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from scenes import write_people

from Datasets.readers.coco import open_coco
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL, scenes_of
from Datasets.sources import DataSource
from Datasets.structures import Crop
from Engine.backends import TorchBackend
from Engine.errors import DataError
from Engine.sampling import Draw
from Engine.training_settings import OptimiserSettings, TrainerSettings
from Engine.weights import load_weights
from FasterRCNN.candidates import Candidates
from FasterRCNN.detector import InfantDetector, save_detector, save_rescoring
from FasterRCNN.model import build_detector
from FasterRCNN.rescoring import SIDE, RescoringNetwork, class_probabilities
from FasterRCNN.rescoring_data import (
    TrainingCrops,
    ValidationCrops,
    collate_crops,
    labelled_boxes,
    with_texture_around,
)
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from FasterRCNN.train_rescoring import train_rescoring

SMALL = DetectorSettings(min_size=64, max_size=128, box_head=16)
BABY, CARER = ("infant", (66.0, 40.0), (18.0, 11.0)), ("adult", (20.0, 36.0), (12.0, 30.0))
IMAGE = Image.new("RGB", (96, 72))


class Fixed(InfantDetector):
    """Finds these boxes in every image."""

    def __init__(self, *boxes, score=0.64, labels=None, **rule):
        super().__init__(None, SMALL, **rule)
        self.found = Candidates(
            torch.from_numpy(np.array(boxes, float).reshape(-1, 4)),
            torch.full((len(boxes),), score, dtype=torch.float64),
            torch.tensor(labels or [ADULT_LABEL] * len(boxes), dtype=torch.int64),
        )
        self.images = 0

    def candidates(self, images):
        self.images += len(images)
        return [self.found for _ in images]


def brightness(crops):
    """A backend: what is white in the middle is an infant, what is blue an adult."""
    red, _, blue = crops[:, :, 76:84, 76:84].astype(np.float32).mean((2, 3)).T
    return {"output": np.stack([np.full_like(red, 100.0), red, blue * (red < 50)], -1) / 10}


@pytest.fixture
def root(tmp_path):
    return write_people(tmp_path / "data", "train", (BABY, CARER), (CARER,), (), (BABY,))


def test_a_box_has_the_label_of_whom_it_overlaps_and_unclear_ones_are_left_out(root, tmp_path):
    scenes = scenes_of(open_coco(root))
    both = scenes[0]
    (x1, y1, x2, y2), *_ = both.boxes(INFANT_LABEL)
    width = x2 - x1
    moved = [[x1 + share * width, y1, x2 + share * width, y2] for share in (0.1, 0.55, 0.99)]
    found = labelled_boxes(scenes, Fixed(*moved), 100, tmp_path / "boxes.npz")
    assert len(found) == 4
    first, alone, _, nobody = found
    # the image's own people first, then the near box and the far one; the one between is left out
    assert first.labels.tolist() == [INFANT_LABEL, ADULT_LABEL, INFANT_LABEL, 0]
    assert first.annotated.tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(first.boxes_xyxy[2:], [moved[0], moved[2]])
    assert alone.labels[0] == ADULT_LABEL and (nobody.labels == 0).all()
    again = Fixed()
    same = labelled_boxes(scenes, again, 100, tmp_path / "boxes.npz")
    assert again.images == 0 and [s.labels.tolist() for s in same] == [
        s.labels.tolist() for s in found
    ]


def test_the_detector_runs_on_some_images_only(root, tmp_path):
    detector = Fixed([0, 0, 9, 9])
    found = labelled_boxes(scenes_of(open_coco(root)), detector, 2, tmp_path / "boxes.npz")
    assert detector.images == 2
    assert sum((~one.annotated).sum() for one in found) == 2


def test_a_crop_is_a_function_of_seed_round_and_index(root, tmp_path):
    found = labelled_boxes(
        scenes_of(open_coco(root)), Fixed([0, 0, 9, 9]), 9, tmp_path / "boxes.npz"
    )
    data = TrainingCrops(found, 3, seed=4)
    images, labels = data[Draw(2, 0)]
    same, _ = TrainingCrops(found, 3, seed=4)[Draw(2, 0)]
    other, _ = data[Draw(3, 0)]
    assert images.shape == (3, 3, SIDE, SIDE) and images.dtype == torch.uint8
    assert labels.shape == (3,) and torch.equal(images, same) and not torch.equal(images, other)
    batch, joined = collate_crops([data[Draw(0, 0)], data[Draw(0, 1)]])
    assert batch.shape[0] == len(joined) == 6
    with pytest.raises(DataError, match="no image has a box"):
        TrainingCrops([], 3, seed=0)


def test_a_texture_around_a_box_leaves_the_box():
    box = np.array([30.0, 20, 60, 40])
    crop = Crop.around(box, SIDE, 2.0, degrees=30)
    before = np.full((SIDE, SIDE, 3), 77, np.uint8)
    after = with_texture_around(before, crop, box, np.random.default_rng(1))
    inside = crop.to_crop(np.array([[45.0, 30], [32, 22], [58, 38]])).round().astype(int)
    outside = crop.to_crop(np.array([[25.0, 30], [45, 45], [62, 18]])).round().astype(int)
    assert (after[inside[:, 1], inside[:, 0]] == 77).all()
    assert (after[outside[:, 1], outside[:, 0]] != 77).any(axis=1).all()


def test_validation_crops_have_their_person_in_the_middle(root, tmp_path):
    found = labelled_boxes(scenes_of(open_coco(root)), Fixed(), 9, tmp_path / "boxes.npz")
    for images, label in map(ValidationCrops(found).__getitem__, range(4)):
        assert brightness(images.numpy())["output"].argmax(-1) == label


def test_boxes_that_rescoring_rejects_are_not_detected(root):
    scenes = scenes_of(open_coco(root))
    image = Image.open(scenes[0].image.image_path)
    (baby,), (carer,) = scenes[0].boxes(INFANT_LABEL), scenes[0].boxes(ADULT_LABEL)
    empty = np.array([40.0, 2, 54, 16])
    labels = [INFANT_LABEL, INFANT_LABEL, INFANT_LABEL]
    detector = Fixed(baby, carer, empty, rescoring=brightness, labels=labels, min_score=0.7)
    found = detector(image)
    np.testing.assert_allclose(found.boxes_xyxy, [baby])
    assert len(found.adults_xyxy) == 0
    (everybody,) = detector.detect([image], 0.0)
    assert len(everybody) == 3
    above = everybody.scores >= 0.7
    np.testing.assert_allclose(everybody.boxes_xyxy[above], found.boxes_xyxy)
    # the geometric mean of both scores
    (row,) = class_probabilities(brightness, [(image, torch.from_numpy(baby))]).numpy()
    assert found.scores[0] == pytest.approx(np.sqrt(0.64 * row[INFANT_LABEL]))
    assert row.sum() == pytest.approx(1) and len(class_probabilities(brightness, [])) == 0
    detector.min_score = 0.81
    assert len(detector(image)) == 0


def test_rescoring_is_stored_in_the_detectors_file_and_replaced_there(tmp_path):
    torch.manual_seed(0)
    plain, rescored, again = (tmp_path / f"{n}.safetensors" for n in ("plain", "one", "two"))
    save_detector(plain, build_detector(SMALL), SMALL)
    assert InfantDetector.from_weights(plain).rescoring is None
    first, second = RescoringNetwork(), RescoringNetwork()
    save_rescoring(rescored, plain, first)
    save_rescoring(again, rescored, second)
    loaded = InfantDetector.from_weights(again)
    given, kept = second.state_dict(), loaded.rescoring.network.state_dict()
    assert all(torch.equal(kept[name], value.half().float()) for name, value in given.items())
    assert load_weights(again)[0].keys() == load_weights(rescored)[0].keys()
    boxes = [(IMAGE, torch.tensor([10.0, 10, 40, 50]))]
    ours, theirs = (
        class_probabilities(network, boxes) for network in (loaded.rescoring, TorchBackend(second))
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.fixture
def settings(root, tiny_weights, tmp_path):
    save_detector(tmp_path / "detector.safetensors", build_detector(SMALL), SMALL)
    return RescoringSettings(
        train=(DataSource("coco", root=root),),
        validation=DataSource("coco", root=root),
        detector=tmp_path / "detector.safetensors",
        initial_backbone=tiny_weights / "tiny" / "heatmap.safetensors",
        per_image=2,
        batch_size=2,
        num_workers=0,
        optimiser=OptimiserSettings(learning_rate=1e-3, warmup_steps=0, average_decay=0.5),
        trainer=TrainerSettings(max_epochs=4, steps_per_epoch=4, precision="32-true"),
    )


def test_the_recipe_learns_and_keeps_the_detector_and_the_first_layers(settings, tmp_path):
    summary = train_rescoring(settings, tmp_path / "run")
    rows = [row.split(",") for row in (tmp_path / "run" / "log.csv").read_text().splitlines()]
    losses = [float(row[4]) for row in rows if row[3] == "validation_loss"]
    assert summary.steps == 16 and losses[-1] < 0.8 * losses[0]
    state, _ = load_weights(tmp_path / "run" / "detector.safetensors")
    before, _ = load_weights(settings.detector)
    assert all(torch.equal(state[name], value) for name, value in before.items())
    body, _ = load_weights(settings.initial_backbone)
    assert torch.equal(state["close_up.body.conv1.weight"], body["stem.0.weight"])
    assert not torch.equal(
        state["close_up.body.layer2.0.conv1.weight"], body["stages.1.0.conv1.weight"]
    )
    assert len(CLASSES) == len(state["close_up.head.6.bias"])


@pytest.mark.parametrize("key", ["train", "validation", "detector", "initial_backbone"])
def test_what_the_recipe_needs_is_named(settings, tmp_path, key):
    missing = dataclasses.replace(settings, **{key: () if key == "train" else None})
    with pytest.raises(DataError, match=key):
        train_rescoring(missing, tmp_path / "run")
