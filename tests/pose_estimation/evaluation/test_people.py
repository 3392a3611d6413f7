"""Protocols of people in photos: a predictor of the truth is perfect, a known error scores so."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.geometry.camera import project
from Datasets.skeletons import COCO_17, INFANT, LSP_14, MPI_INF_17, MPII_16, SLP_14
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from PoseEstimation.evaluation import mpi_inf_3dhp, people
from PoseEstimation.evaluation.coco import evaluate_coco
from PoseEstimation.evaluation.joints import in_joints, predicted_joints
from PoseEstimation.evaluation.lsp import evaluate_lsp
from PoseEstimation.evaluation.mpi_inf_3dhp import evaluate_mpi_inf_3dhp
from PoseEstimation.evaluation.mpii import evaluate_mpii
from PoseEstimation.evaluation.people import score_notes
from PoseEstimation.evaluation.slp import evaluate_slp
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.structures import Found, Keypoints

CAMERA = np.array([[500.0, 0, 99.5], [0, 500, 49.5], [0, 0, 1]])
CENTRES = (50.0, 150.0)


def samples_of(skeleton, folder, photos=3):
    """Two people in each photo of 200 x 100 pixels; its first pixel is its number."""
    folder.mkdir(exist_ok=True)
    found = []
    for number in range(photos):
        path = folder / f"{number}.png"
        image = Image.new("RGB", (200, 100), (0, 0, 0))
        image.putpixel((0, 0), (number, 0, 0))
        image.save(path)
        for x in CENTRES:
            rng = np.random.default_rng([number, int(x)])
            points = rng.uniform(-30, 30, (len(skeleton), 2)) + [x, 50]
            box = np.array([x - 40, 10, x + 40, 90])
            head, seen = np.array([0.0, 0, 30, 40]), np.full(len(skeleton), 2, np.uint8)
            found.append(PoseSample(path, skeleton, points, seen, box_xyxy=box, head_box_xyxy=head))
    return found


class Truthful(Predictor):
    """Finds the true joints in each box, off by some pixels; misses the one on the right of 0."""

    def __init__(self, samples, off_px=0.0, skeleton=INFANT, lifter=None):
        self.samples, self.off_px = samples, np.array([off_px, 0.0])
        self.own = skeleton
        super().__init__(Network(skeleton, self.find_people), lifter, model_info={"name": "fake"})

    def find_people(self, images, boxes=None, still=False):
        numbers = [image.getpixel((0, 0))[0] for image in images]
        if boxes is None:
            both = np.array([[x - 38.0, 12, x + 40, 90] for x in reversed(CENTRES)])
            boxes = [both[1:] if number == 0 else both for number in numbers]
        return [self.found(n, own) for n, own in zip(numbers, boxes, strict=True)]

    def found(self, number, boxes):
        here = [s for s in self.samples if int(s.image_path.stem) == number]
        points = np.full((len(boxes), len(self.own), 2), np.nan)
        for row, box in enumerate(boxes):
            near = min(here, key=lambda s: np.abs(s.box_xyxy - box).sum())
            truth = in_joints(near.keypoints_px, near.skeleton, self.own)
            points[row] = truth + self.off_px
        return Found(boxes, np.ones(len(boxes)), Keypoints.exact(points))


class Network:
    def __init__(self, skeleton, function):
        self.skeleton, self.function = skeleton, function

    def __call__(self, *arguments):
        return self.function(*arguments)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """``opened(name, skeleton)`` puts photos in the place of a data set."""

    def opened(name, skeleton):
        samples = samples_of(skeleton, tmp_path / "photos")
        dataset = Dataset(name, tmp_path, skeleton, samples)
        monkeypatch.setattr(people, "open_dataset", lambda *_: dataset)
        return samples

    return opened


PROTOCOLS = [
    (evaluate_mpii, "mpii", MPII_16, "pckh_05", 15.0),  # half of 0.6 x 50
    (evaluate_lsp, "lsp", LSP_14, "pck_02", None),
    (evaluate_slp, "slp", SLP_14, "pckh_05", None),
]


@pytest.mark.parametrize(("evaluate", "name", "skeleton", "key", "limit_px"), PROTOCOLS)
def test_the_truth_is_perfect_and_a_known_error_scores_so(
    evaluate, name, skeleton, key, limit_px, opened, tmp_path
):
    samples = opened(name, skeleton)
    options = {"split": "all", "output": tmp_path / "out", "command": "typed"}
    metrics = evaluate(Truthful(samples), tmp_path, **options)
    assert metrics["clean"][key] == 100 and metrics["counts"]["people"] == 6
    assert metrics == json.loads((tmp_path / "out" / "metrics.json").read_text())
    expected = {"schema", "protocol", "data", "weights", "command", "clean", "per_joint", "counts"}
    assert expected <= set(metrics) and metrics["protocol"] == name
    assert metrics["data"]["boxes"] == "true" and metrics["command"] == "typed"
    off = 20.0
    wrong = evaluate(Truthful(samples, off_px=off), tmp_path)["clean"][key]
    if limit_px is not None:
        assert wrong == 0
        assert evaluate(Truthful(samples, off_px=limit_px - 1), tmp_path)["clean"][key] == 100
    else:
        lengths = np.array([np.linalg.norm(np.subtract(*ends(s))) for s in samples])
        share = {"pck_02": 0.2, "pckh_05": 0.5}[key]
        assert wrong == pytest.approx(100 * np.mean(off <= share * lengths))


def ends(sample):
    """The segment that distances are measured in."""
    lsp = sample.skeleton == LSP_14
    names = ("left_shoulder", "right_hip") if lsp else ("thorax", "head_top")
    return sample.keypoints_px[sample.skeleton.indices(names)]


def test_a_person_without_a_detection_is_missed(opened, tmp_path):
    samples = opened("mpii", MPII_16)
    metrics = evaluate_mpii(Truthful(samples), tmp_path, box_kind="own")
    assert metrics["clean"]["pckh_05"] == pytest.approx(100 * 5 / 6)
    assert metrics["counts"]["joints_without_prediction"] == 14


def test_a_split_without_people_is_one_line(tmp_path, monkeypatch):
    nobody = Dataset("lsp", tmp_path, LSP_14, [])
    monkeypatch.setattr(people, "open_dataset", lambda *_: nobody)
    with pytest.raises(DataError, match="no labelled people"):
        evaluate_lsp(Truthful([]), tmp_path)


def test_joints_that_the_skeleton_lacks_do_not_count(opened, tmp_path):
    samples = opened("mpii", MPII_16)
    predictor = Truthful(samples, skeleton=COCO_17)
    metrics = evaluate_mpii(predictor, tmp_path)
    absent = ["pelvis", "thorax", "upper_neck", "head_top"]
    assert metrics["clean"]["pckh_05"] == 100
    assert metrics["counts"]["joints_not_predicted"] == absent
    assert metrics["counts"]["joints"] == 6 * 12
    assert any("head_top" in note for note in score_notes(metrics))
    assert predicted_joints(INFANT, MPII_16).all()


@pytest.fixture
def coco(tmp_path):
    """COCO's layout: photos 1 and 2 of two people each, photo 3 of one and a crowd on the right."""
    (tmp_path / "annotations").mkdir()
    samples = samples_of(COCO_17, tmp_path / "val2017", 4)
    images = [{"id": n, "file_name": f"{n}.png", "width": 200, "height": 100} for n in (1, 2, 3)]
    people = [_annotation(number, sample) for number, sample in enumerate(samples[2:], 1)]
    people[-1] |= {"iscrowd": 1, "keypoints": [0] * 51, "num_keypoints": 0}
    people[-1] |= {"segmentation": {"size": [100, 200], "counts": [0, 20000]}}
    content = {"images": images, "annotations": people}
    content["categories"] = [{"id": 1, "name": "person"}]
    path = tmp_path / "annotations" / "person_keypoints_val2017.json"
    path.write_text(json.dumps(content))
    return samples


def _annotation(number, sample):
    keypoints = np.column_stack([sample.keypoints_px, np.full(17, 2)]).ravel().tolist()
    box = [float(v) for v in (*sample.box_xyxy[:2], 80, 80)]
    known = {"id": number, "image_id": int(sample.image_path.stem), "category_id": 1}
    more = {"iscrowd": 0, "keypoints": keypoints, "num_keypoints": 17}
    return {**known, **more, "bbox": box, "area": 6400.0}


def test_coco_is_perfect_with_the_truth_and_worth_nothing_far_off(coco, tmp_path):
    metrics = evaluate_coco(Truthful(coco), tmp_path, output=tmp_path / "out")
    assert metrics["clean"]["ap"] == pytest.approx(100) and metrics["counts"]["people"] == 5
    assert metrics == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert evaluate_coco(Truthful(coco, off_px=60.0), tmp_path)["clean"]["ap"] == 0
    some = evaluate_coco(Truthful(coco, off_px=6.0), tmp_path)["clean"]
    assert 0 < some["ap"] < 100 and some["ap50"] >= some["ap75"]


def test_coco_ignores_detections_in_crowds(coco, tmp_path):
    metrics = evaluate_coco(Truthful(coco), tmp_path, box_kind="own")
    assert metrics["counts"]["results"] == 6 and metrics["counts"]["people_ignored"] == 1
    assert metrics["clean"]["ap"] == pytest.approx(100)


def test_coco_without_eyes_counts_the_other_joints(coco, tmp_path):
    metrics = evaluate_coco(Truthful(coco, skeleton=MPII_16), tmp_path)
    assert metrics["clean"]["ap"] == pytest.approx(100)
    assert "left_eye" in metrics["counts"]["joints_not_predicted"]


class Lifting:
    """Lifts every pose to the truth of its frame, which its first joint's place names."""

    skeleton = INFANT

    def __init__(self, samples, off_mm=0.0):
        self.samples, self.off_mm = samples, off_mm

    def __call__(self, track):
        root = np.stack([s.keypoints_px[MPI_INF_17.root_index] for s in self.samples])
        own = track.keypoints.keypoints_px[:, INFANT.root_index]
        rows = np.linalg.norm(own[:, None] - root[None], axis=-1).argmin(axis=1)
        truth = np.stack([self.samples[row].joints_mm for row in rows])
        joints = in_joints(truth - truth[:, [MPI_INF_17.root_index]], MPI_INF_17, INFANT)
        others = np.arange(len(INFANT)) != INFANT.root_index
        joints[:, others, 2] += self.off_mm
        return joints, np.ones(joints.shape[:2])


@pytest.fixture
def benchmark(tmp_path, monkeypatch):
    """Three frames of one test sequence; the universal poses are half as large again."""
    samples, universal = [], []
    for number, photo in enumerate(samples_of(MPI_INF_17, tmp_path / "TS1")[::2]):
        rng = np.random.default_rng(number)
        joints_mm = rng.uniform(-300, 300, (17, 3)) + [60.0 * number, 0, 3000]
        known = {"intrinsics": CAMERA, "sequence": "TS1", "frame": number, "activity": "Sitting"}
        seen = np.full(17, 2, np.uint8)
        box = photo.box_xyxy
        for into, scale in ((samples, 1.0), (universal, 1.5)):
            posed = {"joints_mm": scale * joints_mm, "box_xyxy": box, **known}
            points = project(joints_mm, CAMERA)
            into.append(PoseSample(photo.image_path, MPI_INF_17, points, seen, **posed))
    data = [Dataset("mpi_inf_3dhp", tmp_path, MPI_INF_17, part) for part in (samples, universal)]
    monkeypatch.setattr(mpi_inf_3dhp, "open_dataset", lambda *_: data[0])
    monkeypatch.setattr(mpi_inf_3dhp, "read_mpi_inf_3dhp_test", lambda *_, **__: data[1])
    return samples


@pytest.mark.parametrize("input_kind", ["predicted", "gt2d"])
def test_3dhp_measures_against_both_annotations(benchmark, tmp_path, input_kind):
    options = {"input_kind": input_kind, "output": tmp_path / "out"}
    right = Truthful(benchmark, lifter=Lifting(benchmark))
    metrics = evaluate_mpi_inf_3dhp(right, tmp_path, **options)
    clean = metrics["clean"]
    assert clean["mpjpe_annot3_mm"] == pytest.approx(0, abs=1e-6)
    assert clean["pck_150_annot3"] == 100 and clean["mpjpe_mm"] > 50
    assert clean["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-6), "half as large again, same pose"
    lacking = [j for j in ("spine", "head") if j not in INFANT.joints]
    assert metrics["counts"]["joints_not_predicted"] == lacking
    assert metrics["groups"]["activity"]["Sitting"]["frames"] == 3
    off = Truthful(benchmark, lifter=Lifting(benchmark, off_mm=80.0))
    wrong = evaluate_mpi_inf_3dhp(off, tmp_path, input_kind=input_kind)["clean"]
    counted = 17 - len(lacking)
    assert wrong["mpjpe_annot3_mm"] == pytest.approx(80 * (counted - 1) / counted)
    assert wrong["pck_150_annot3"] == 100


def test_3dhp_takes_no_training_split(tmp_path, monkeypatch):
    data = Dataset("mpi_inf_3dhp", tmp_path, INFANT, [])
    monkeypatch.setattr(mpi_inf_3dhp, "open_dataset", lambda *_: data)
    with pytest.raises(DataError, match="TS1"):
        evaluate_mpi_inf_3dhp(Truthful([]), Path("x"), "train")
