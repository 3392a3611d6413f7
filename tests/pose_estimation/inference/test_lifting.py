"""Lifting at inference: how videos become clips, and what must not change the answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from Datasets.geometry.camera import intrinsics_from_fov, project
from Datasets.skeletons import INFANT
from Engine.backends import TorchBackend
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting, clip_rows
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.structures import Keypoints, Lifted, Track

CAMERA = intrinsics_from_fov((640, 480), 57)
TWINS = tuple(range(len(INFANT.bones)))


def lifting(**changes) -> ClipLifting:
    torch.manual_seed(0)
    config = ClipLifterConfig(
        num_joints=len(INFANT),
        root_index=INFANT.root_index,
        bones=INFANT.bone_indices,
        twins=TWINS,
        **{"width": 32, **changes},
    )
    network = ClipLifter(config)
    for parameter in network.parameters():
        parameter.data += 0.03 * torch.randn_like(parameter)
    return ClipLifting(TorchBackend(network, outputs=Lifted._fields), RayCodec(INFANT))


def video(frames: int) -> np.ndarray:
    """Joints (frame, 25, 3) mm of an infant that moves smoothly, one metre away."""
    generator = np.random.default_rng(0)
    body, sway = generator.normal(0, 120, (2, 25, 3))
    return body + sway * np.sin(np.arange(frames) / 9)[:, None, None] * 0.3 + [0, 0, 1000]


def turned(values: np.ndarray, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    x, y, z = np.moveaxis(values, -1, 0)
    return np.stack([c * x - s * y, s * x + c * y, z], -1)


def test_rows_of_videos_of_any_rate():
    assert clip_rows(np.arange(5) / 30).tolist() == [[0, 1, 2, 3, 4]]
    assert clip_rows(np.arange(5) / 60).tolist() == [[0, 2, 4], [1, 3, 4]]
    assert clip_rows(np.arange(4) / 10).tolist() == [[0], [1], [2], [3]]
    assert clip_rows(np.array([0.7])).tolist() == [[0]]
    gap = clip_rows(np.array([0, 1, 2, 5, 6]) / 25)
    assert gap.tolist() == [[0, 1, 2, 2, 2, 3, 4]]
    sparse = clip_rows(np.array([0, 1, 2, 500]) / 30)
    assert sparse.tolist() == [[0], [1], [2], [3]]


@pytest.mark.parametrize("degrees", [90.0, 180.0, 270.0])
def test_quarter_turns_and_mirrors_of_a_video_turn_and_mirror_the_answer(degrees):
    lift, joints = lifting(), video(20)
    times = np.arange(20) / 30
    camera = np.diag([500.0, 500, 1])
    straight, sigma = lift(Track(Keypoints.exact(project(joints, camera)), camera, times))
    found = Keypoints.exact(project(turned(joints, degrees), camera))
    other, other_sigma = lift(Track(found, camera, times))
    assert other == pytest.approx(turned(straight, degrees), abs=0.05)
    assert other_sigma == pytest.approx(sigma, rel=1e-3)
    flip = list(INFANT.flip_indices)
    mirrored = (joints * [-1, 1, 1])[:, flip]
    other, _ = lift(Track(Keypoints.exact(project(mirrored, camera)), camera, times))
    assert other == pytest.approx((straight * [-1, 1, 1])[:, flip], abs=0.05)


def test_photos_are_lifted_alone_and_videos_together():
    lift, found = lifting(), Keypoints.exact(project(video(6), CAMERA))
    alone, _ = lift(Track(found, CAMERA))
    one, _ = lift(Track(found[2:3], CAMERA))
    together, _ = lift(Track(found, CAMERA, np.arange(6) / 30))
    assert alone[2:3] == pytest.approx(one, abs=1e-2)
    assert np.abs(together - alone).max() > 1


def test_every_frame_gets_its_own_answer_in_order():
    lift, joints = lifting(dilations=(), context=False), video(32)
    found = Keypoints.exact(project(joints, CAMERA))
    fast, _ = lift(Track(found, CAMERA, np.arange(32) / 120))
    slow, _ = lift(Track(found, CAMERA, np.arange(32) / 10))
    assert fast == pytest.approx(slow, abs=1e-2)
    assert np.abs(np.diff(fast, axis=0)).max(axis=(1, 2)).min() > 0


def test_missing_joints_and_empty_frames_give_finite_answers():
    lift, points = lifting(), project(video(5), CAMERA)
    points[1], points[3, 4] = np.nan, np.nan
    joints, sigma = lift(Track(Keypoints.exact(points), CAMERA, np.arange(5) / 30))
    assert np.isfinite(joints).all() and np.isfinite(sigma).all()
