"""Single-person crops: shape kept, joints carried there and back, the threshold an argument."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Datasets.crops import write_crops
from Datasets.geometry.affine import transform_points
from Datasets.readers.coco import open_coco
from Datasets.skeletons import COCO_17
from Datasets.structures import PoseSample
from Datasets.writers.coco import CocoPerson, CocoPicture, write_coco, write_coco_image
from Engine.errors import DataError
from PoseEstimation.cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One image with a tall person of 17 joints and a wide one of 5, and a round mark."""
    rng, root = np.random.default_rng(0), tmp_path / "coco"
    people = []
    for box, labelled in (((20, 10, 60, 150), 17), ((80, 90, 200, 130), 5)):
        joints = rng.uniform(box[:2], box[2:], (17, 2))
        seen = np.where(np.arange(17) < labelled, 1 + np.arange(17) % 2, 0).astype(np.uint8)
        joints = np.where(seen[:, None] > 0, joints, np.nan)
        sample = PoseSample(
            Path("x"), COCO_17, joints, seen, box_xyxy=np.array(box, float), area_px=900.0
        )
        people.append(CocoPerson(sample))
    write_coco(root, "train2017", [CocoPicture("a.jpg", 5, (220, 160), tuple(people))])
    y, x = np.mgrid[:160, :220]
    disc = ((x - 40) ** 2 + (y - 80) ** 2 < 15**2)[..., None]
    write_coco_image(root, "train2017", "a.jpg", np.where(disc, 255, 0 * x[..., None]).repeat(
        3, axis=2).astype(np.uint8))  # fmt: skip
    return root


def test_joints_area_and_box_come_back(root: Path, tmp_path: Path) -> None:
    output = tmp_path / "crops"
    counts = write_crops(root, "train2017", output, min_keypoints=1, size=128)
    assert (counts.written, counts.left_out) == (2, 0)
    path = output / "annotations" / "person_keypoints_train2017.json"
    annotations = json.loads(path.read_text())["annotations"]
    originals = open_coco(root, "train2017").samples
    for ours, noted, source in zip(
        open_coco(output, "train2017").samples, annotations, originals, strict=True
    ):
        assert Image.open(ours.image_path).size == (128, 128)
        back = transform_points(np.linalg.inv(np.array(noted["crop_matrix"])), ours.keypoints_px)
        np.testing.assert_allclose(back, source.keypoints_px, atol=0.01)
        assert np.array_equal(ours.visibility, source.visibility)
        assert noted["ann_id"] == source.annotation_id and noted["original_image_id"] == 5
        side = (ours.box_xyxy[2:] - ours.box_xyxy[:2]) / (source.box_xyxy[2:] - source.box_xyxy[:2])
        assert side[0] == pytest.approx(side[1], rel=1e-4), "squeezed"
        assert ours.area_px == pytest.approx(900 * side[0] ** 2, rel=1e-3)
        assert noted["original_area"] == 900 and len(noted["original_keypoints"]) == 51
        longer = (ours.box_xyxy[2:] - ours.box_xyxy[:2]).max()
        assert longer == pytest.approx(128 / 1.25, abs=0.01)


def test_a_disc_stays_round(root: Path, tmp_path: Path) -> None:
    write_crops(root, "train2017", tmp_path / "crops", min_keypoints=10, size=160)
    with Image.open(tmp_path / "crops/train2017/000000000001.jpg") as image:
        white = np.asarray(image.convert("L")) > 128
    height, width = np.ptp(np.flatnonzero(white.any(1))), np.ptp(np.flatnonzero(white.any(0)))
    assert abs(int(height) - int(width)) <= 1 and height > 20


def test_the_threshold_and_refusals(root: Path, tmp_path: Path) -> None:
    counts = write_crops(root, "train2017", tmp_path / "a", min_keypoints=6)
    assert (counts.written, counts.left_out) == (1, 1)
    with pytest.raises(DataError, match="exists"):
        write_crops(root, "train2017", tmp_path / "a", min_keypoints=6)
    with pytest.raises(DataError, match="18 labelled"):
        write_crops(root, "train2017", tmp_path / "b", min_keypoints=18)


def test_the_command(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["crops", "coco", "--root", str(root), "--output", str(tmp_path / "c")]
    assert main([*arguments, "--split", "train2017", "--min-keypoints", "6"]) == 0
    assert "1 people cropped, 1 with fewer than 6" in capsys.readouterr().out
    assert main([*arguments, "--split", "train2017"]) == 2


def test_crops_never_replace_annotations(root: Path, tmp_path: Path) -> None:
    """Where the pictures of a split lie elsewhere, its annotations alone are a reason to refuse."""
    output = tmp_path / "other"
    kept = output / "annotations" / "person_keypoints_train2017.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("of somebody")
    with pytest.raises(DataError, match=r"train2017\.json exists"):
        write_crops(root, "train2017", output, min_keypoints=1)
    assert kept.read_text() == "of somebody" and not (output / "train2017").exists()
