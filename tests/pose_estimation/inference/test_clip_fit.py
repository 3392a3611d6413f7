"""The fitted body: what holds for any prediction, and what exact joints decide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from PoseEstimation.inference.clip_fit import (
    BodyTree,
    Prediction,
    Rays,
    fit_clip,
    place_on_rays,
    tangents,
)

TREE = BodyTree.of(INFANT)
BONES, ROOT = len(INFANT.bones), INFANT.root_index
DISTANCE, TRUNK = 9.0, 0.18


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def body(frames: int = 12, seed: int = 0):
    """Directions (frame, bone, 3) that change slowly, and logs of lengths, equal on both sides."""
    rng = np.random.default_rng(seed)
    start, change = rng.normal(size=(2, BONES, 3))
    turns = np.linspace(0, 1, frames)[:, None, None]
    log_lengths = np.log(rng.uniform(0.4, 1.4, BONES))
    first = np.minimum(np.arange(BONES), TREE.mirrored)
    return unit(start + 0.4 * turns * change), log_lengths[first]


def posed(directions: np.ndarray, log_lengths: np.ndarray) -> np.ndarray:
    return TREE.reaches @ (np.exp(log_lengths)[:, None] * directions)


def seen(joints: np.ndarray, sigma: float = 0.0) -> Rays:
    place = joints + [0.3, -0.2, DISTANCE]
    usable = np.ones(joints.shape[:2], dtype=bool)
    return Rays(place[..., :2] / place[..., 2:], usable, np.full(usable.shape, sigma))


def prediction(directions, log_lengths, sigma=0.2, length_sigma=0.1) -> Prediction:
    spread = np.full((*directions.shape[:2], 2), sigma)
    return Prediction(directions, spread, log_lengths, np.full(BONES, length_sigma))


def lengths(joints: np.ndarray) -> np.ndarray:
    return np.linalg.norm(joints[:, TREE.children] - joints[:, TREE.parents], axis=-1)


def wrong(directions, log_lengths, seed: int = 1) -> Prediction:
    """Directions and lengths as a network of doubtful worth predicts them."""
    rng = np.random.default_rng(seed)
    vectors = directions + rng.normal(0, 0.15, directions.shape)
    return prediction(vectors, log_lengths + rng.normal(0, 0.1, BONES))


def test_a_right_prediction_on_its_rays_stays():
    directions, log_lengths = body()
    joints = posed(directions, log_lengths)
    fit = fit_clip(TREE, seen(joints), prediction(directions, log_lengths), TRUNK)
    assert fit.joints == pytest.approx(joints, abs=1e-6)
    assert fit.depth == pytest.approx(np.full(len(joints), DISTANCE), abs=1e-5)
    assert fit.residual.max() < 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_exact_joints_bind_a_wrong_prediction_to_their_rays(seed):
    directions, log_lengths = body(seed=seed)
    fit = fit_clip(
        TREE, seen(posed(directions, log_lengths)), wrong(directions, log_lengths), TRUNK
    )
    assert fit.residual.mean() < 0.01 * TRUNK


def test_lengths_are_constant_and_equal_on_both_sides_for_any_input():
    rng = np.random.default_rng(3)
    directions, log_lengths = body()
    joints = posed(directions, log_lengths) + rng.normal(0, 0.2, (12, len(INFANT), 3))
    fit = fit_clip(TREE, seen(joints, 0.01), wrong(directions, rng.normal(0, 0.2, BONES)), TRUNK)
    found = lengths(fit.joints)
    assert np.ptp(found, axis=0) == pytest.approx(0, abs=1e-9)
    assert found == pytest.approx(found[:, TREE.mirrored], abs=1e-9)
    assert (fit.joints[:, ROOT] == 0).all()


def test_a_clip_decides_the_proportions_that_one_frame_leaves_open():
    """The thigh of a body that turns shows its length; the prediction has it a fifth too long."""
    thigh = INFANT.bones.index(("left_hip", "left_knee"))
    errors = []
    for frames in (1, 60):
        directions, log_lengths = body(60, seed=4)
        directions = directions[:frames]
        both = [thigh, TREE.mirrored[thigh]]
        longer = log_lengths.copy()
        longer[both] += 0.2
        joints = posed(directions, log_lengths)
        predicted = prediction(directions, longer, sigma=0.3, length_sigma=0.15)
        fit = fit_clip(TREE, seen(joints), predicted, TRUNK)
        share = lengths(fit.joints)[0] / np.exp(log_lengths)
        errors.append(abs(np.log(share[thigh] / np.median(share))))
    assert errors[1] < 0.5 * errors[0]


def test_uncertain_or_missing_joints_leave_the_prediction():
    directions, log_lengths = body()
    predicted = wrong(directions, log_lengths)
    first = np.minimum(np.arange(BONES), TREE.mirrored)
    mean = (predicted.log_lengths + predicted.log_lengths[list(TREE.mirrored)]) / 2
    expected = posed(unit(predicted.vectors), mean[first])
    rays = seen(posed(directions, log_lengths), sigma=50.0)
    assert fit_clip(TREE, rays, predicted, TRUNK).joints == pytest.approx(expected, abs=0.02)
    none = replace(rays, usable=np.zeros_like(rays.usable))
    fit = fit_clip(TREE, none, predicted, TRUNK)
    assert fit.joints == pytest.approx(expected, abs=1e-6) and (fit.residual == 0).all()


def test_a_joint_that_contradicts_the_body_moves_itself_alone_and_shows():
    directions, log_lengths = body()
    joints, wrist = posed(directions, log_lengths), INFANT.index("left_wrist")
    rays = seen(joints, sigma=0.005)
    away = rays.xy.copy()
    away[:, wrist] += 3 * TRUNK
    fit = fit_clip(TREE, replace(rays, xy=away), prediction(directions, log_lengths), TRUNK)
    off = np.linalg.norm(fit.joints - joints, axis=-1)
    assert off[:, INFANT.index("right_wrist")].max() < 0.1
    assert (fit.residual[:, wrist] > 2 * TRUNK).all()


def test_frames_in_another_order_and_a_larger_body_far_away_are_the_same_problem():
    directions, log_lengths = body()
    rays, predicted = seen(posed(directions, log_lengths)), wrong(directions, log_lengths)
    fit = fit_clip(TREE, rays, predicted, TRUNK)
    back = fit_clip(
        TREE,
        Rays(rays.xy[::-1], rays.usable[::-1], rays.sigma[::-1]),
        replace(predicted, vectors=predicted.vectors[::-1], sigma=predicted.sigma[::-1]),
        TRUNK,
    )
    assert back.joints[::-1] == pytest.approx(fit.joints, abs=1e-6)
    larger = fit_clip(
        TREE, rays, replace(predicted, log_lengths=predicted.log_lengths + 0.5), TRUNK
    )
    assert larger.joints == pytest.approx(np.exp(0.5) * fit.joints, abs=1e-5)
    assert larger.depth == pytest.approx(np.exp(0.5) * fit.depth, rel=1e-5)


def test_tangents_are_normal_to_their_vector_and_to_one_another():
    vectors = unit(np.random.default_rng(0).normal(size=(500, 3)))
    vectors[:2] = [[0, 0, 1], [0, 0, -1]]
    frames = np.concatenate([tangents(vectors), vectors[..., None]], -1)
    assert np.swapaxes(frames, -1, -2) @ frames == pytest.approx(
        np.broadcast_to(np.eye(3), frames.shape), abs=1e-12
    )


def test_poses_are_placed_where_they_project_to_their_rays():
    joints = posed(*body())
    rays = seen(joints)
    weight = np.ones(rays.usable.shape)
    weight[:, 5] = 0
    root = place_on_rays(joints, rays.xy, weight)
    assert root == pytest.approx(np.tile([0.3, -0.2, DISTANCE], (len(joints), 1)), abs=1e-5)
