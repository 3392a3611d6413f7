import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from Datasets.geometry.affine import horizontal_flip
from Datasets.structures import Crop
from PoseEstimation.codecs.heatmap import QUANTISATION, HeatmapCodec

CODECS = (HeatmapCodec(), HeatmapCodec(kind="gaussian"))


def raw_output(codec: HeatmapCodec, targets: torch.Tensor) -> torch.Tensor:
    """What a perfect network would put out."""
    return targets.clamp_min(1e-30).log() if codec.kind == "softmax" else targets


def round_trip(codec: HeatmapCodec, points: np.ndarray):
    points_px = torch.as_tensor(points, dtype=torch.float32).view(1, -1, 2)
    targets, weights = codec.encode(points_px, torch.full(points_px.shape[:2], 2))
    return (*codec.decode(raw_output(codec, targets)), weights)


@settings(deadline=None, max_examples=60)
@given(
    centre=st.tuples(st.floats(100, 500), st.floats(100, 400)),
    side=st.floats(40, 600),
    at=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    degrees=st.floats(-180, 180),
    flip=st.booleans(),
    codec=st.sampled_from(CODECS),
)
def test_a_point_survives_crop_flip_scale_and_map(centre, side, at, degrees, flip, codec):
    x, y = centre
    crop = Crop.around(np.array([x, y, x + side, y + side]), codec.input_size, degrees=degrees)
    crop = crop.then(horizontal_flip(codec.input_size)) if flip else crop
    in_crop = np.array(at) * (codec.input_size - 1)
    in_image = crop.to_image(in_crop)
    decoded, *_ = round_trip(codec, crop.to_crop(in_image))
    decoded = decoded[0, 0].numpy()
    assert np.linalg.norm(decoded - in_crop) < 0.5
    assert np.linalg.norm(crop.to_image(decoded) - in_image) < 0.5 / crop.scale


@pytest.mark.parametrize("codec", CODECS)
def test_a_perfect_map_scores_one_and_is_only_as_wide_as_a_map_pixel(codec):
    _, scores, sigma, _ = round_trip(codec, np.array([[100.0, 130.3], [77.7, 200.1]]))
    assert scores == pytest.approx(torch.ones(1, 2), abs=0.05)
    assert sigma == pytest.approx(torch.full((1, 2), QUANTISATION * codec.stride), rel=0.15)


def test_scores_fall_and_spread_grows_as_the_density_widens():
    narrow = HeatmapCodec()
    point = torch.tensor([[[128.0, 128.0]]])
    results = []
    for width in (2.0, 3.0, 5.0, 9.0):
        targets, _ = HeatmapCodec(sigma=width).encode(point, torch.ones(1, 1))
        results.append(narrow.decode(raw_output(narrow, targets)))
    scores = [float(r[1]) for r in results]
    sigmas = [float(r[2]) for r in results]
    assert scores == sorted(scores, reverse=True) and scores[-1] < 0.3
    assert sigmas == sorted(sigmas) and sigmas[1] == pytest.approx(4 * math.sqrt(5), rel=0.1)


def test_an_empty_network_output_gives_low_scores_not_nan():
    for codec in CODECS:
        keypoints, scores, sigma = codec.decode(torch.zeros(1, 2, 64, 64))
        assert torch.isfinite(keypoints).all() and torch.isfinite(sigma).all()
        assert (scores < 0.1).all()


def test_two_peaks_the_larger_one_wins_and_the_score_is_its_share():
    codec = HeatmapCodec()
    targets, _ = codec.encode(torch.tensor([[[60.0, 60.0], [200.0, 180.0]]]), torch.ones(1, 2))
    mixed = 0.7 * targets[:, :1] + 0.3 * targets[:, 1:]
    keypoints, scores, _ = codec.decode(mixed.clamp_min(1e-30).log())
    assert keypoints[0, 0].tolist() == pytest.approx([60, 60], abs=0.5)
    assert float(scores) == pytest.approx(0.7, abs=0.03)


def test_within_reach_two_lesser_peaks_outweigh_a_larger_one():
    points = torch.tensor([[[60.0, 60.0], [188.0, 180.0], [212.0, 180.0]]])
    targets, _ = HeatmapCodec().encode(points, torch.ones(1, 3))
    mixed = (targets * torch.tensor([0.4, 0.3, 0.3])[:, None, None]).sum(1, keepdim=True)
    maps = mixed.clamp_min(1e-30).log()
    alone, _, _ = HeatmapCodec(sigma=1.0).decode(maps)
    together, _, _ = HeatmapCodec(reach=0.06).decode(maps)
    assert alone[0, 0].tolist() == pytest.approx([60, 60], abs=0.5)
    assert together[0, 0].tolist() == pytest.approx([200, 180], abs=0.5)


def test_reach_leaves_a_single_peak_and_its_score_where_they_are():
    points = np.random.default_rng(0).uniform(30, 225, (20, 2))
    direct, scores, sigma, _ = round_trip(HeatmapCodec(), points)
    reaching, same, wide, _ = round_trip(HeatmapCodec(reach=0.06), points)
    assert torch.allclose(reaching, direct, atol=0.3)
    assert torch.equal(scores, same) and torch.allclose(sigma, wide, atol=0.1)


def test_unlabelled_and_outside_joints_weigh_nothing_and_stay_finite():
    codec = HeatmapCodec()
    points = torch.tensor([[[10.0, 10.0], [float("nan"), 5.0], [300.0, 10.0], [0.0, 255.0]]])
    targets, weights = codec.encode(points, torch.tensor([[2, 0, 2, 1]]))
    assert weights.tolist() == [[1, 0, 0, 1]]
    assert torch.isfinite(targets).all()
    assert targets.sum((-2, -1)) == pytest.approx(torch.ones(1, 4), abs=1e-5)


def test_edges_of_crop_and_map_are_aligned():
    codec = HeatmapCodec(kind="gaussian")
    targets, _ = codec.encode(torch.tensor([[[1.5, 5.5]]]), torch.ones(1, 1))
    assert targets[0, 0, 1, 0] == pytest.approx(1)


def test_flipping_the_map_flips_the_point():
    codec = HeatmapCodec()
    maps = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).cumsum(-1) / 4
    keypoints, scores, sigma = codec.decode(maps)
    flipped, flipped_scores, flipped_sigma = codec.decode(maps.flip(-1))
    mirrored = torch.stack([255 - flipped[..., 0], flipped[..., 1]], -1)
    assert torch.allclose(mirrored, keypoints, atol=1e-2)
    assert torch.allclose(scores, flipped_scores, atol=1e-4)
    assert torch.allclose(sigma, flipped_sigma, atol=1e-3)
