"""``evaluate syrip``: a predictor with known mistakes on a folder of known photos."""

import json

import numpy as np
import pytest
from PIL import Image

from Datasets.geometry.affine import transform_points
from Datasets.geometry.camera import rays, rotation_to_axis
from Datasets.geometry.turns import QUARTERS, quarter_turned, turn_matrix
from Datasets.readers.syrip import read_weak_3d
from Datasets.skeletons import COCO_17, INFANT, LSP_14
from Datasets.skeletons.convert import joint_map
from Datasets.sources import DataSource
from Engine.errors import DataError
from PoseEstimation.evaluation import syrip
from PoseEstimation.evaluation.photo_score import score_photos
from PoseEstimation.evaluation.photo_tables import syrip_notes, syrip_tables
from PoseEstimation.evaluation.syrip import evaluate_syrip
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.stage_settings import PhotoScoreSettings
from PoseEstimation.structures import Found, Keypoints

PHOTOS = 6
POSTURES = ("Supine", "Prone")


def photo(number):
    """Joints (17, 2) of a photo."""
    return np.random.default_rng(number).uniform(20, 80, (17, 2)).round(2)


def upright(number):
    image = Image.new("RGB", (100, 100), (number, 0, 0))
    image.putpixel((99, 0), (number, 255, 0))
    return image


def weak(number):
    return np.random.default_rng(number).normal(0, 0.1, (14, 3))


@pytest.fixture
def root(tmp_path):
    """Six photos of two postures, known by their red, upright where the right corner is green."""
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations").mkdir()
    images, annotations = [], []
    for i in range(PHOTOS):
        upright(i).save(tmp_path / "images" / f"{i}.png")
        posture, source = POSTURES[i % 2], "video" if i < 2 else ""
        images.append(
            {"id": 10 + i, "file_name": f"{i}.png", "width": 100, "height": 100}
            | {"posture": posture, "image_source": source}
        )
        keypoints = np.column_stack([photo(i), np.full(17, 2)]).ravel().tolist()
        annotations.append(
            {"id": i, "image_id": 10 + i, "category_id": 1, "iscrowd": 0, "keypoints": keypoints}
            | {"bbox": [10, 10, 80, 80], "area": 6400.0}
        )
    content = {"images": images, "annotations": annotations}
    content["categories"] = [{"id": 1, "name": "person"}]
    path = tmp_path / "annotations" / "person_keypoints_validate.json"
    path.write_text(json.dumps(content))
    names = [f"{i}.png" for i in range(PHOTOS)]
    joints = np.stack([weak(i) for i in range(PHOTOS)]).astype(np.float32)
    corrected = np.ones(PHOTOS, bool)
    np.savez(tmp_path / "weak_3d.npz", file_name=names, joints_m=joints, corrected=corrected)
    return tmp_path


class Knowing(Predictor):
    """Knows every photo but the lying ones' joints, and detects nothing in photo 0."""

    def __init__(self):
        networks = Networks(self.find_people), Networks(self.lift_track)
        super().__init__(*networks, model_info={"name": "fake"})

    def find_people(self, images, boxes=None, still=False):
        assert still
        return [self.found(im, None if boxes is None else boxes[i]) for i, im in enumerate(images)]

    def found(self, image, boxes):
        number = image.getpixel((0, 0))[0]
        if boxes is None:
            boxes = np.tile([10.0, 10, 90, 90], (int(number > 0), 1))
        points = np.tile(self.joints(number, image), (len(boxes), 1, 1))
        ones = np.ones(points.shape[:2])
        return Found(boxes, np.ones(len(boxes)), Keypoints(points, ones, ones, number * ones))

    def joints(self, number, image):
        points = photo(number) + (50 if number % 2 else 0)
        for degrees in QUARTERS:
            if quarter_turned(upright(number), degrees).tobytes() == image.tobytes():
                points = transform_points(turn_matrix(degrees, (100, 100)), points)
        return joint_map(COCO_17, INFANT).apply(points)

    def lift_track(self, track):
        numbers = track.keypoints.depth_px[:, 0].astype(int)
        joints = 900 * np.stack([weak(number) for number in numbers])
        off_axis = rotation_to_axis(rays(np.array([50.0, 50.0]), track.intrinsics[0]))
        return joint_map(LSP_14, INFANT).apply(joints @ off_axis), np.ones(
            track.keypoints.scores.shape
        )


class Networks:
    skeleton = INFANT

    def __init__(self, function):
        self.function = function

    def __call__(self, *arguments):
        return self.function(*arguments)


def test_every_part_is_measured_against_its_truth(root, tmp_path):
    metrics = evaluate_syrip(Knowing(), root, output=tmp_path / "out")
    assert metrics == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["postures"]["supine"]["ap"] == pytest.approx(100)
    assert metrics["postures"]["prone"]["ap"] == 0
    assert sum(group["photos"] for group in metrics["skin"].values()) == PHOTOS
    assert metrics["boxes"]["true"]["ar"] == pytest.approx(50)
    assert metrics["boxes"]["own"]["ar"] == pytest.approx(100 / 3)
    assert metrics["clean"]["ar"] == metrics["boxes"]["true"]["ar"]
    assert metrics["clean"]["box_ap50"] == pytest.approx(100 * 5 / 6, abs=1)
    assert metrics["counts"]["photos_without_detection"] == 1
    assert metrics["clean"]["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-3)
    assert metrics["clean"]["limb_degrees"] == pytest.approx(0, abs=1e-3)
    assert metrics["data"]["real"] and metrics["counts"]["people_3d"] == PHOTOS
    for row in metrics["rotations"].values():
        assert row["ap"] == pytest.approx(metrics["clean"]["ap"]) and abs(row["change"]) < 1e-9
        assert abs(row["change_own_boxes"]) < 1e-9
    low, high = metrics["boxes"]["true"]["interval"]
    assert 0 <= low < metrics["clean"]["ap"] < high <= 100
    assert metrics["postures"]["prone"]["interval"] is None, "three sources tell nothing of others"
    shown = "\n".join(table.markdown() for table in syrip_tables(metrics))
    assert "| prone | 3 | 0.0 | - |" in shown and "mean pose" in shown
    assert any("bootstrap" in note for note in syrip_notes(metrics))


def without_area(root, *numbers):
    path = root / "annotations" / "person_keypoints_validate.json"
    content = json.loads(path.read_text())
    for number in numbers:
        del content["annotations"][number]["area"]
    path.write_text(json.dumps(content))


def test_photos_without_an_area_are_left_out_of_ap_alone(root):
    without_area(root, 1, 3)
    metrics = evaluate_syrip(Knowing(), root)
    assert metrics["counts"]["photos"] == PHOTOS and metrics["counts"]["photos_without_area"] == 2
    assert metrics["clean"]["ar"] == pytest.approx(75), "three of the four photos left"
    assert metrics["postures"]["prone"]["photos"] == 1
    assert sum(group["photos"] for group in metrics["skin"].values()) == PHOTOS - 2
    assert metrics["counts"]["people_3d"] == PHOTOS
    assert "2 photos without an area are left out" in syrip_notes(metrics)[0]
    without_area(root, 0, 2, 4, 5)
    with pytest.raises(DataError, match="no person has an area above 0"):
        evaluate_syrip(Knowing(), root)


def test_own_boxes_may_be_the_headline_and_weak_truth_may_be_absent(root):
    (root / "weak_3d.npz").unlink()
    metrics = evaluate_syrip(Knowing(), root, box_kind="own")
    assert metrics["clean"]["ar"] == metrics["boxes"]["own"]["ar"]
    assert "pa_mpjpe_mm" not in metrics["clean"] and metrics["counts"]["people_3d"] == 0
    assert len(syrip_tables(metrics)) == 4


def test_weak_truth_of_other_photos_measures_nothing(root):
    joints = np.zeros((1, 14, 3), np.float32)
    np.savez(root / "weak_3d.npz", file_name=["x"], joints_m=joints, corrected=np.ones(1, bool))
    metrics = evaluate_syrip(Knowing(), root)
    assert "pa_mpjpe_mm" not in metrics["clean"] and metrics["counts"]["people_3d"] == 0


class KnowsOneWayUp(Knowing):
    def joints(self, number, image):
        return super().joints(number, upright(number))


def test_a_network_of_upright_photos_loses_when_they_are_turned(root):
    metrics = evaluate_syrip(KnowsOneWayUp(), root)
    assert set(metrics["rotations"]) == {"90", "180", "270"}
    for row in metrics["rotations"].values():
        assert row["change"] == pytest.approx(row["ap"] - metrics["clean"]["ap"]) and row["ap"] < 5


def test_of_many_photos_some_are_turned(root, monkeypatch):
    shown = []

    class Watched(KnowsOneWayUp):
        def found(self, image, boxes):
            shown.append(boxes is None)
            return super().found(image, boxes)

    monkeypatch.setattr(syrip, "TURNED", 2)
    metrics = evaluate_syrip(Watched(), root)
    assert len(shown) == 2 * sum(shown) and sum(shown) == PHOTOS + 2 * len(QUARTERS)
    assert all(-100 <= row["change"] < 0 for row in metrics["rotations"].values())


@pytest.mark.parametrize("degrees", QUARTERS)
def test_a_turned_pixel_is_where_the_matrix_says(degrees):
    picture = np.random.default_rng(0).integers(0, 256, (5, 8, 3), dtype=np.uint8)
    result = np.asarray(quarter_turned(Image.fromarray(picture), degrees))
    for y, x in np.ndindex(5, 8):
        column, row = transform_points(turn_matrix(degrees, (8, 5)), np.array([x, y])).astype(int)
        assert (result[row, column] == picture[y, x]).all()


def test_weak_joints_come_in_millimetres_by_name(root):
    joints = read_weak_3d(root, ["3.png", "other.png"])
    assert joints[0] == pytest.approx(1000 * weak(3), abs=1e-3)
    assert np.isnan(joints[1]).all()


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_damaged_weak_labels_are_one_line(root, content):
    if content is None:
        np.savez(root / "weak_3d.npz", file_name=["a"], joints_m=np.zeros((1, 13, 3)))
    else:
        (root / "weak_3d.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"weak_3d\.npz"):
        read_weak_3d(root, ["a"])


def test_a_2d_network_alone_scores_as_within_the_predictor(root, tmp_path, monkeypatch):
    for name, value in (
        ("TopDown", lambda *_: Networks(Knowing().find_people)),
        ("load_keypoint_network", lambda *_: None),
    ):
        monkeypatch.setattr(f"PoseEstimation.evaluation.photo_score.{name}", value)
    photos, weights = DataSource("syrip", "validation", root), tmp_path / "heatmap.safetensors"
    weights.write_bytes(b"weights")
    scores = score_photos(PhotoScoreSettings(photos, weights), tmp_path)
    whole = evaluate_syrip(Knowing(), root)
    alone = json.loads((tmp_path / "metrics.json").read_text())
    assert alone["boxes"]["true"] == whole["boxes"]["true"] and scores["ar"] > 0
    for posture, row in alone["postures"].items():
        assert row.items() <= whole["postures"][posture].items()
    with pytest.raises(DataError, match="must be given"):
        score_photos(PhotoScoreSettings(photos), tmp_path)
