"""Crops keep labels on their picture; training varies, evaluation cannot."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import Datasets
from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.skeletons import MINI_RGBD_25
from Datasets.structures import PoseSample
from Datasets.transforms import occlusion, photometric, presets, textures
from Datasets.transforms.geometric import is_mirrored
from Datasets.transforms.presets import TrainTransforms, eval_crop, eval_sample, train_sample

CAMERA = intrinsics_matrix(590.0, 600.0, 322.0, 237.0)
BOX = np.array([220.0, 140.0, 420.0, 330.0])
GEOMETRIC_ONLY = TrainTransforms(background_share=0, occlusion_share=0, photometric_share=0)


def sample_with_dot(joint: str) -> tuple[PoseSample, Image.Image]:
    """A sample whose picture shows one soft dot, at ``joint``."""
    joints_mm = np.random.default_rng(0).normal([0, 0, 1000], 60, (25, 3))
    keypoints_px = project(joints_mm, CAMERA)
    x, y = keypoints_px[MINI_RGBD_25.index(joint)]
    columns, rows = np.arange(640), np.arange(480)[:, None]
    values = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 4.0**2))
    visibility = np.full(25, 2, dtype=np.uint8)
    sample = PoseSample(
        Path("x.png"), MINI_RGBD_25, keypoints_px, visibility, joints_mm, intrinsics=CAMERA
    )
    return sample, Image.fromarray(values.astype(np.uint8)).convert("RGB")


def picture(seed: int = 0, size: int = 96) -> np.ndarray:
    return textures.random_texture((size, size), np.random.default_rng(seed))


def offset_of_dot(cropped, label: np.ndarray) -> float:
    """Largest distance per axis between a label and the centroid of the dot around it."""
    x, y = np.round(label).astype(int)
    window = cropped.image[y - 9 : y + 10, x - 9 : x + 10, 0].astype(np.float64)
    window -= window.min()
    rows, columns = np.mgrid[y - 9 : y + 10, x - 9 : x + 10]
    found = np.array([(columns * window).sum(), (rows * window).sum()]) / window.sum()
    return float(np.abs(found - label).max())


def test_training_keeps_the_dot_under_its_label() -> None:
    sample, image = sample_with_dot("left_knee")
    offsets = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        cropped = train_sample(sample, image, None, BOX, 192, generator, GEOMETRIC_ONLY)
        name = "right_knee" if is_mirrored(cropped.crop) else "left_knee"
        label = cropped.keypoints_px[MINI_RGBD_25.index(name)]
        if ((label > 10) & (label < 181)).all():
            offsets.append(offset_of_dot(cropped, label))
    assert len(offsets) > 10 and max(offsets) < 0.5


@pytest.mark.parametrize("seed", range(12))
def test_joints_project_onto_keypoints_in_every_crop(seed: int) -> None:
    sample, image = sample_with_dot("nose")
    cropped = train_sample(
        sample, image, None, BOX, 64, np.random.default_rng(seed), GEOMETRIC_ONLY
    )
    projected = project(cropped.joints_mm, cropped.intrinsics)
    np.testing.assert_allclose(projected, cropped.keypoints_px, atol=1e-6)
    assert cropped.intrinsics[2].tolist() == [0, 0, 1]


def test_both_hands_are_seen_and_mirrored() -> None:
    sample, image = sample_with_dot("nose")
    seen = set()
    for seed in range(20):
        cropped = train_sample(
            sample, image, None, BOX, 32, np.random.default_rng(seed), GEOMETRIC_ONLY
        )
        mirrored = is_mirrored(cropped.crop)
        seen.add(mirrored)
        source = MINI_RGBD_25.index("right_wrist" if mirrored else "left_wrist")
        expected = cropped.crop.to_crop(sample.keypoints_px[source])
        found = cropped.keypoints_px[MINI_RGBD_25.index("left_wrist")]
        np.testing.assert_allclose(found, expected)
    assert seen == {True, False}


def test_crop_ranges() -> None:
    settings = TrainTransforms(jitter=0)
    generator = np.random.default_rng(0)
    plain = eval_crop(BOX, 128)
    crops = [presets.train_crop(BOX, 128, generator, settings) for _ in range(2000)]
    scales = np.array([crop.scale / plain.scale for crop in crops])
    assert 0.75 <= scales.min() < 0.78 and 1.3 < scales.max() <= 1.35
    upright = np.array([abs(np.degrees(np.arctan2(c.matrix[1, 0], c.matrix[1, 1]))) for c in crops])
    share = (upright > 40.0001).mean()
    assert share == pytest.approx(0.4 * 140 / 180, abs=0.04)
    assert np.mean([is_mirrored(crop) for crop in crops]) == pytest.approx(0.5, abs=0.04)
    centre = [(BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2]
    offsets = np.array([crop.to_image(np.full(2, 63.5)) - centre for crop in crops])
    assert np.abs(offsets).max() <= 0.08 * 200 + 1e-6


def test_joints_outside_the_crop_are_not_supervised() -> None:
    sample, image = sample_with_dot("nose")
    x, y = sample.keypoints_px[0]
    cropped = eval_sample(sample, image, np.array([x - 5, y - 5, x + 5, y + 5]), 32)
    inside = ((cropped.keypoints_px >= -0.5) & (cropped.keypoints_px <= 31.5)).all(axis=1)
    assert (cropped.visibility > 0).tolist() == inside.tolist()
    assert cropped.visibility[0] == 2 and (cropped.visibility == 0).any()
    assert (sample.visibility == 2).all()


@pytest.mark.parametrize("step", [step for _, step in photometric.STEPS], ids=lambda s: s.__name__)
def test_every_photometric_step_changes_the_picture_only(step) -> None:
    before = picture()
    kept = before.copy()
    results = [step(before, np.random.default_rng(seed)) for seed in range(6)]
    np.testing.assert_array_equal(before, kept)
    assert all(r.shape == before.shape and r.dtype == np.uint8 for r in results)
    assert any(np.abs(r.astype(int) - before).mean() > 0.5 for r in results)
    again = step(before, np.random.default_rng(3))
    np.testing.assert_array_equal(again, results[3])


def test_photometric_takes_any_shape_and_is_strong() -> None:
    wide = np.asarray(Image.fromarray(picture()).resize((150, 70)))
    generator = np.random.default_rng(0)
    results = [photometric.train_photometric(wide, generator) for _ in range(200)]
    assert all(r.shape == (70, 150, 3) and r.dtype == np.uint8 for r in results)
    means = np.array([r.mean() for r in results]) - wide.mean()
    assert np.percentile(np.abs(means), 50) > 15
    same = np.mean([np.array_equal(r, wide) for r in results])
    assert same < 0.05


def test_grey_is_grey_unless_a_display_tints_it() -> None:
    spread = [
        np.ptp(photometric.grey(picture(1), np.random.default_rng(s)).astype(int), axis=2).max()
        for s in range(30)
    ]
    assert np.mean(np.array(spread) <= 1) > 0.6


def test_occluders_cover_a_part() -> None:
    before = picture()
    kept = before.copy()
    shares = []
    for seed in range(60):
        after = occlusion.train_occlusion(before, np.random.default_rng(seed))
        shares.append((np.abs(after.astype(int) - before).max(axis=2) > 8).mean())
    np.testing.assert_array_equal(before, kept)
    assert 0.02 < np.median(shares) < 0.3 and np.mean(np.array(shares) > 0.005) > 0.8


def test_another_background_keeps_the_infant() -> None:
    before = picture()
    alpha = np.zeros((96, 96), dtype=np.float32)
    alpha[30:60, 20:70] = 1
    after = occlusion.train_background(before, alpha, np.random.default_rng(9))
    np.testing.assert_array_equal(after[30:60, 20:70], before[30:60, 20:70])
    assert np.abs(after.astype(int) - before)[alpha == 0].mean() > 5


def test_evaluation_functions_take_no_randomness() -> None:
    for name in ("eval_crop", "eval_sample"):
        assert "generator" not in inspect.signature(getattr(presets, name)).parameters
    sample, image = sample_with_dot("nose")
    first, second = (eval_sample(sample, image, BOX, 64) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)


def called_names(function: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | {
        n.attr for n in ast.walk(function) if isinstance(n, ast.Attribute)
    }


def test_no_training_transform_is_reachable_from_evaluation() -> None:
    """Names used, transitively, by eval_* functions; names used by the code that evaluates."""
    house = Path(Datasets.__file__).parents[1]
    functions: dict[str, set[str]] = {}
    for path in (house / "Datasets").rglob("*.py"):
        if "transforms" in path.parts or "geometry" in path.parts:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef):
                    functions.setdefault(node.name, set()).update(called_names(node))
    reached, new = set(), {name for name in functions if name.startswith("eval_")}
    assert len(new) == 2
    while new:
        reached |= new
        new = set().union(*(functions.get(name, set()) for name in new)) - reached
    assert "warp_image" in reached
    assert not {name for name in reached if name.startswith("train_") or name == "generator"}
    training = {name for name in functions if name.startswith("train_")}
    assert len(training) >= 5
    for path in house.glob("PoseEstimation/*/*.py"):
        if path.parent.name in ("evaluation", "inference", "metrics"):
            used = called_names(ast.parse(path.read_text()))
            assert not used & training, path
