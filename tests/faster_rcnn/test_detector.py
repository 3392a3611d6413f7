"""The network, the rule for none and several infants, the metrics and the recipe end to end."""

from __future__ import annotations

import dataclasses
import json
import runpy
import sys

import numpy as np
import pytest
import torch
from backends import Answers
from PIL import Image
from scenes import write_people, write_scenes

from Datasets.readers.coco import open_coco
from Datasets.readers.mini_rgbd import read_mini_rgbd
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL
from Datasets.sources import DataSource
from Engine.backends import TorchBackend
from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.training_settings import TrainerSettings
from Engine.weights import load_initial, read_safetensors, save_weights
from FasterRCNN.candidates import Candidates
from FasterRCNN.detector import InfantDetector, save_detector
from FasterRCNN.evaluate import evaluate_detector, evaluate_weights
from FasterRCNN.model import DifferentSizes, build_detector
from FasterRCNN.settings import DetectorSettings
from FasterRCNN.train import DetectorModule, train_detector

SMALL = DetectorSettings(min_size=72, max_size=128, box_head=16)
STORED = {key: getattr(SMALL, key) for key in ("backbone", "min_size", "max_size", "box_head")}


def detector_with(boxes, scores, labels=None, **rule):
    labels = [INFANT_LABEL] * len(boxes) if labels is None else labels
    rows = list(zip(boxes, scores, labels, strict=True))
    return InfantDetector(Answers(rows), SMALL, **rule)


def test_rule_for_none_and_several_infants():
    image = Image.new("RGB", (96, 72))
    boxes = [[0, 0, 30, 30], [1, 1, 31, 31], [50, 30, 80, 60], [60, 0, 90, 20]]
    found = detector_with(boxes, [0.9, 0.8, 0.95, 0.4])(image)
    np.testing.assert_allclose(found.boxes_xyxy, [boxes[2], boxes[0]], atol=1e-6)
    np.testing.assert_allclose(found.scores, [0.95, 0.9], atol=1e-6)
    assert len(detector_with(boxes, [0.9, 0.8, 0.95, 0.4], max_infants=1)(image)) == 1
    nobody = detector_with(boxes, [0.1, 0.2, 0.3, 0.4])(image)
    assert nobody.boxes_xyxy.shape == nobody.adults_xyxy.shape == (0, 4)


A, B = INFANT_LABEL, ADULT_LABEL
BOX, ALIKE, INSIDE = [10, 10, 60, 60], [12, 10, 62, 60], [30, 30, 60, 60]


@pytest.mark.parametrize(
    ("boxes", "labels", "infants", "adults"),
    [
        ([BOX, ALIKE], [B, A], 0, 1),
        ([BOX, ALIKE], [A, B], 1, 0),
        ([BOX, INSIDE], [B, A], 1, 1),
        ([BOX, ALIKE, ALIKE], [B, A, B], 0, 1),
        ([BOX, BOX, [10, 10, 60, 44]], [A, B, A], 1, 0),
    ],
    ids=["an adult", "an infant", "a carer", "one adult", "one infant"],
)
def test_one_person_is_what_the_higher_score_says(boxes, labels, infants, adults):
    scores = [0.9, 0.8, 0.7][: len(boxes)]
    found = detector_with(boxes, scores, labels)(Image.new("RGB", (96, 72)))
    assert (len(found.boxes_xyxy), len(found.adults_xyxy)) == (infants, adults)
    assert (len(found), len(found.adult_scores)) == (infants, adults)


@pytest.mark.parametrize("min_score", [0.3, 0.95])
def test_adults_have_a_score_of_their_own_and_no_limit(min_score):
    rows = [[0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20]]
    rule = {"max_infants": 1, "min_score": min_score}
    found = detector_with(rows, [0.9, 0.8, 0.4], [B, B, B], **rule)(Image.new("RGB", (96, 72)))
    np.testing.assert_allclose(found.adults_xyxy, rows[:2], atol=1e-5)
    np.testing.assert_allclose(found.adult_scores, [0.9, 0.8])
    infants = detector_with(rows, [0.9, 0.8, 0.4], [A, A, A], **rule)(Image.new("RGB", (96, 72)))
    assert len(infants) == (1 if min_score < 0.9 else 0)


def test_a_detector_of_infants_has_no_adults(tmp_path):
    network = build_detector(SMALL, classes=2)
    path = tmp_path / "detector.safetensors"
    for classes, known in ((CLASSES[:2], True), (("background", "dog"), False)):
        metadata = {"model": "FasterRCNN", "config": STORED, "classes": list(classes)}
        save_weights(path, network.state_dict(), metadata)
        if known:
            detector = InfantDetector.from_weights(path)
            assert detector(Image.new("RGB", (96, 72))).adults_xyxy is None
        else:
            with pytest.raises(DataError, match="background, dog"):
                InfantDetector.from_weights(path)


def test_boxes_are_given_in_pixels_of_the_image_and_inside_it():
    found = detector_with([[-3, -3, 47.5, 35.5]], [0.9])(Image.new("RGB", (960, 720)))
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 479.5, 359.5]])


@pytest.mark.parametrize("backbone", ["mobilenet_v3_large_320_fpn", "mobilenet_v3_large_fpn"])
def test_every_layer_learns(backbone):
    torch.manual_seed(0)
    network = build_detector(dataclasses.replace(SMALL, backbone=backbone)).train()
    target = {"boxes": torch.tensor([[20.0, 10, 80, 60]]), "labels": torch.tensor([1])}
    losses = network([torch.rand(3, 72, 96) for _ in range(2)], [target] * 2)
    sum(losses.values()).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.requires_grad]
    assert still == []


@pytest.mark.parametrize(("proposals", "kept"), [(None, 30), (300, 90)])
def test_the_number_of_proposals_is_stored_with_the_weights(tmp_path, proposals, kept):
    path, network = tmp_path / "detector.safetensors", build_detector(SMALL)
    config = STORED if proposals is None else {**STORED, "proposals": proposals}
    metadata = {"model": "FasterRCNN", "config": config, "classes": list(CLASSES)}
    save_weights(path, network.state_dict(), metadata)
    loaded = InfantDetector.from_weights(path).network.network.network
    assert loaded.rpn.post_nms_top_n() == kept


class _Losing(torch.nn.Module):
    """Returns given losses."""

    def forward(self, images, targets):
        parts = ("classifier", "box_reg", "objectness", "rpn_box_reg")
        return {f"loss_{part}": torch.tensor(10.0**i) for i, part in enumerate(parts)}


@pytest.mark.parametrize(("weight", "total"), [(1.0, 1111), (3.0, 1131)])
def test_the_fit_of_boxes_has_its_weight_among_the_losses(weight, total, monkeypatch):
    module = DetectorModule(dataclasses.replace(SMALL, box_weight=weight))
    monkeypatch.setattr(module, "log", lambda name, value: None)
    module.network = _Losing()
    batch = {"image": torch.zeros((1, 3, 8, 8)), "targets": [{"boxes": torch.zeros((0, 4))}]}
    assert float(module.training_step(batch, 0)) == total


def test_default_weights_fit_the_limit_and_resnet_builds():
    size = sum(p.numel() for p in build_detector(DetectorSettings()).parameters()) * 2
    assert size < 15e6
    with torch.device("meta"):
        network = build_detector(DetectorSettings(backbone="resnet50_fpn_v2"))
    assert network.backbone.out_channels == 256


def test_a_saved_detector_gives_the_same_detections(tmp_path):
    torch.manual_seed(0)
    network = build_detector(SMALL).half().float().eval()
    digest = save_detector(tmp_path / "detector.safetensors", network, SMALL)
    loaded = InfantDetector.from_weights(
        tmp_path / "detector.safetensors", min_score=0.0, sha256=digest
    )
    generator = np.random.default_rng(0)
    images = [
        Image.fromarray(generator.integers(0, 255, (h, w, 3), dtype=np.uint8))
        for h, w in ((72, 96), (100, 60))
    ]
    direct = InfantDetector(TorchBackend(DifferentSizes(network)), SMALL, min_score=0.0)
    for a, b in zip(loaded.detect(images), direct.detect(images), strict=True):
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-3)
        np.testing.assert_allclose(a.adult_scores, b.adult_scores, atol=1e-3)
    alone, batched = direct(images[0]), direct.detect([images[0]] * 2)[1]
    np.testing.assert_allclose(alone.boxes_xyxy, batched.boxes_xyxy, atol=1e-2)


def test_other_weights_are_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_weights(path, {"a": torch.ones(2)}, {"model": "PoseResNet", "config": {}})
    with pytest.raises(DataError, match="no detector weights") as caught:
        InfantDetector.from_weights(path)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    root = write_scenes(tmp_path_factory.mktemp("data"), 2, 6)
    trainer = TrainerSettings(max_epochs=2, steps_per_epoch=3, log_every=1, precision="32-true")
    settings = dataclasses.replace(
        SMALL,
        train=(DataSource("mini_rgbd", "1", root),),
        validation=DataSource("mini_rgbd", "2", root),
        batch_size=2,
        num_workers=0,
        trainer=trainer,
    )
    output = tmp_path_factory.mktemp("run")
    return settings, output, train_detector(settings, output)


def test_recipe_writes_weights_that_load_and_evaluate(recipe):
    settings, output, summary = recipe
    assert (summary.steps, summary.epochs) == (6, 2)
    detector = InfantDetector.from_weights(output / "detector.safetensors")
    dataset = read_mini_rgbd(settings.validation.root, ["02"])
    figures = evaluate_detector(detector, dataset)
    assert figures["frames"] == 6 and figures["frames_without_infant"] == 0
    assert 0 <= figures["mean_iou"] <= 100
    assert (output / "outlines.npz").is_file()


def test_recipe_mixes_people_and_starts_from_a_detector_of_infants(recipe, tmp_path):
    settings, _, _ = recipe
    carer, baby = ("adult", (20.0, 36.0), (12.0, 30.0)), ("infant", (70.0, 40.0), (18.0, 11.0))
    root = write_people(tmp_path / "data", "train", (carer, baby), (carer,), (), (baby, baby))
    old = build_detector(SMALL, classes=2)
    described = {"config": STORED, "classes": CLASSES[:2]}
    save_weights(tmp_path / "old.safetensors", old.state_dict(), described)
    mixed = dataclasses.replace(
        settings,
        train=(
            DataSource("coco", root=root, share=3),
            dataclasses.replace(settings.train[0], share=1),
        ),
        validation=DataSource("coco", root=root),
        initial_weights=tmp_path / "old.safetensors",
        trainer=dataclasses.replace(settings.trainer, max_epochs=1),
    )
    train_detector(mixed, tmp_path / "run")
    detector = InfantDetector.from_weights(tmp_path / "run" / "detector.safetensors")
    assert detector.classes == CLASSES
    metrics = evaluate_detector(detector, open_coco(root))
    assert metrics["frames"] == 4 and 0 <= metrics["false_alarm_rate"] <= 100
    assert {r.name for r in (tmp_path / "run").glob("outlines*")} == {
        "outlines_0.npz",
        "outlines_1.npz",
    }


def test_infants_are_known_from_the_start_and_adults_are_new(tmp_path):
    torch.manual_seed(0)
    old, new = build_detector(SMALL, classes=2).half().float(), build_detector(SMALL)
    before = {key: value.clone() for key, value in new.state_dict().items()}
    save_weights(tmp_path / "old.safetensors", old.state_dict(), {})
    load_initial(new, tmp_path / "old.safetensors")
    for key, value in old.state_dict().items():
        now = new.state_dict()[key]
        assert torch.equal(now[: len(value)], value)
        assert torch.equal(now[len(value) :], before[key][len(value) :])
    assert len(new.state_dict()["roi_heads.box_predictor.bbox_pred.bias"]) == 4 * len(CLASSES)
    with pytest.raises(DataError, match="does not fit"):
        load_initial(
            build_detector(dataclasses.replace(SMALL, box_head=32)), tmp_path / "old.safetensors"
        )


def timeless(tree):
    """A checkpoint's header without the seconds that it took."""
    if isinstance(tree, dict):
        return {key: timeless(value) for key, value in tree.items() if key != "spent_s"}
    return [timeless(value) for value in tree] if isinstance(tree, list) else tree


def test_interrupted_recipe_ends_with_the_same_checkpoint(recipe, tmp_path):
    settings, output, _ = recipe
    timed = dataclasses.replace(settings.trainer, max_minutes=0.0)
    train_detector(dataclasses.replace(settings, trainer=timed), tmp_path)
    train_detector(settings, tmp_path, resume=True)
    name = "checkpoints/step-000000006.safetensors"
    (ours, our_header), (theirs, their_header) = (
        read_safetensors(folder / name) for folder in (tmp_path, output)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)
    assert timeless(our_header) == timeless(their_header)


def test_evaluation_follows_the_contract_of_metrics_json(recipe, tmp_path):
    settings, output, _ = recipe
    root, command = settings.validation.root, "infantpose evaluate detector"
    written = evaluate_weights(output, "mini_rgbd", root, "2", tmp_path, command)
    assert json.loads((tmp_path / "metrics.json").read_text()) == written
    kind = written["schema"], written["protocol"], written["command"]
    assert kind == ("infantpose-metrics/1", "detector", command)
    data = written["data"]
    assert (data["dataset"], data["split"], data["frames"]) == ("mini_rgbd", "2", 6)
    file = output / "detector.safetensors"
    assert written["weights"]["sha256"] == {file.name: file_sha256(file)}
    figures = evaluate_detector(InfantDetector.from_weights(file), read_mini_rgbd(root, ["02"]))
    assert {**written["clean"], **written["counts"], "sequences": written["sequences"]} == figures
    other = evaluate_weights(file, "mini_rgbd", root, "1")
    assert other["data"]["root_sha256"] != data["root_sha256"]
    people = write_people(tmp_path / "people", "val", (("", (30.0, 30.0), (20.0, 20.0)),))
    clean = evaluate_weights(file, "coco", people, "validation")["clean"]
    assert clean["box_ap"] is None and clean["carer_recall"] is not None
    with pytest.raises(DataError, match="no such weights"):
        evaluate_weights(tmp_path / "no", "mini_rgbd", root)


def test_the_package_runs_the_detectors_recipe_of_the_one_program(tmp_path, monkeypatch, capsys):
    arguments = ["FasterRCNN", "train", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("FasterRCNN", run_name="__main__")
    assert end.value.code == 2
    assert "detector: train and validation must be given" in capsys.readouterr().err


def test_missing_data_are_named(tmp_path):
    with pytest.raises(DataError, match="train"):
        train_detector(SMALL, tmp_path)


def test_an_images_features_do_not_depend_on_the_batch_in_training():
    torch.manual_seed(0)
    backbone = build_detector(SMALL).backbone.train()
    images = torch.rand(3, 3, 64, 96)
    together, alone = backbone(images), backbone(images[:1])
    for name, features in alone.items():
        torch.testing.assert_close(features, together[name][:1], atol=1e-4, rtol=1e-3)


def test_mixed_precision_does_not_round_boxes():
    """In bf16, coordinates above 128 would be whole pixels, above 256 even ones."""
    torch.manual_seed(0)
    network = build_detector(dataclasses.replace(SMALL, min_size=64, max_size=320)).eval()
    network.roi_heads.score_thresh = 0.0
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        boxes = network([torch.rand(3, 64, 320)])[0]["boxes"]
    assert boxes.dtype == torch.float32
    assert not torch.equal(boxes, boxes.bfloat16().float())


class _Scripted(InfantDetector):
    """Finds given candidates, one list per pass."""

    def __init__(self, answers, **rule):
        super().__init__(None, SMALL, refine=True, **rule)
        self.answers, self.sizes = list(answers), []

    def candidates(self, images):
        self.sizes.append([image.size for image in images])
        return self.answers.pop(0)


def infants(*rows, best=0.95):
    boxes = torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)
    scores = best - 0.01 * torch.arange(len(rows), dtype=torch.float64)
    return Candidates(boxes, scores, torch.full((len(rows),), A))


@pytest.mark.parametrize("best", [0.3, 0.9])
def test_refinement_moves_a_box_to_where_the_second_pass_finds_it(best):
    image = Image.new("RGB", (200, 100))
    first = [infants([40, 20, 120, 60], [150, 50, 180, 90]), infants()]
    # The windows begin at (20, 0) and (140, 40): a better box, and one of another infant. Their
    # scores may be lower than those of the first pass.
    second = [
        infants([5, 5, 10, 10], [24, 22, 102, 62], best=min(best, 0.5) + 0.02),
        infants([0, 0, 4, 4]),
    ]
    detector = _Scripted([first, second], min_score=best)
    refined = detector.detect([image, image])
    assert np.allclose(refined[0].boxes_xyxy, [[44, 22, 122, 62], [150, 50, 180, 90]])
    assert np.allclose(refined[0].scores, first[0].scores)
    assert len(refined[1]) == 0
    assert detector.sizes[1] == [(121, 81), (51, 60)]


def test_without_an_infant_there_is_no_second_pass():
    assert len(_Scripted([[infants()]]).detect([Image.new("RGB", (50, 50))])[0]) == 0


def test_boxes_that_refinement_moves_onto_each_other_are_one_infant():
    first = infants([40, 20, 80, 60], [70, 20, 110, 60], [150, 20, 190, 60])
    # the windows begin at (30, 10), (60, 10) and (140, 10)
    second = [infants([10, 10, 64, 50]), infants([0, 10, 37, 50]), infants([10, 10, 50, 50])]
    (found,) = _Scripted([[first], second]).detect([Image.new("RGB", (200, 100))])
    np.testing.assert_allclose(found.boxes_xyxy, [[40, 20, 94, 60], [150, 20, 190, 60]])
    np.testing.assert_allclose(found.scores, [0.95, 0.93])
