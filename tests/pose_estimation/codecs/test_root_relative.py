import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.skeletons import INFANT
from PoseEstimation.codecs.root_relative import RootRelativeCodec

CAMERA = intrinsics_matrix(588.7, 590.3, 322.2, 237.5)
CODEC = RootRelativeCodec(INFANT)
ROOT = INFANT.root_index


def poses(count: int, seed: int = 0) -> np.ndarray:
    """Random infants about 90 cm in front of the camera, mm."""
    generator = np.random.default_rng(seed)
    body = generator.normal(0, 120, (count, len(INFANT), 3))
    return body + generator.normal(0, 60, (count, 1, 3)) + [0, 0, 900]


def turn(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def encode(joints_mm, intrinsics=CAMERA):
    keypoints = project(joints_mm, intrinsics)
    return CODEC.encode_input(keypoints, np.ones(keypoints.shape[:-1]), intrinsics)


def test_target_round_trip_in_a_batch_and_one_by_one():
    joints = poses(7)
    features, view = encode(joints)
    targets = CODEC.encode_target(joints, view)
    decoded = CODEC.decode(targets, view)
    assert decoded == pytest.approx(joints - joints[:, ROOT : ROOT + 1], abs=1e-3)
    assert (targets[:, ROOT] == 0).all()
    for i, joint in enumerate(joints):
        one, one_view = encode(joint)
        assert one == pytest.approx(features[i], abs=1e-6)
        assert CODEC.encode_target(joint, one_view) == pytest.approx(targets[i], abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(degrees=st.tuples(*[st.floats(-15, 15)] * 3), seed=st.integers(0, 99))
def test_turning_the_camera_changes_input_and_target_only_in_plane(degrees, seed):
    joints = poses(1, seed)[0]
    rotation = turn(0, degrees[0]) @ turn(1, degrees[1]) @ turn(2, 4 * degrees[2])
    before, view = encode(joints)
    after, turned_view = encode(joints @ rotation.T)
    a, b = before[:, :2], after[:, :2]
    u, _, vt = np.linalg.svd(a.T @ b)
    in_plane = u @ vt
    assert np.linalg.det(in_plane) == pytest.approx(1)
    assert a @ in_plane == pytest.approx(b, abs=1e-4)
    target = CODEC.encode_target(joints, view)
    expected = np.concatenate([target[:, :2] @ in_plane, target[:, 2:]], axis=-1)
    assert CODEC.encode_target(joints @ rotation.T, turned_view) == pytest.approx(
        expected, abs=1e-3
    )


def test_input_does_not_depend_on_the_focal_length_or_the_size():
    joints = poses(3)
    features, _ = encode(joints)
    zoomed, _ = encode(joints, intrinsics_matrix(1200, 1200, 900, 500))
    larger, _ = encode(joints * 1.7)
    assert zoomed == pytest.approx(features, abs=1e-5)
    assert larger == pytest.approx(features, abs=1e-5)
    assert np.sqrt((features[..., :2] ** 2).sum((-1, -2)) / len(INFANT)) == pytest.approx(
        1, abs=1e-5
    )
    assert features[:, ROOT, :2] == pytest.approx(0, abs=1e-6)


def test_one_camera_per_pose():
    joints = poses(2)
    cameras = np.stack([CAMERA, intrinsics_matrix(1200, 1100, 900, 500)])
    keypoints = np.stack([project(j, k) for j, k in zip(joints, cameras, strict=True)])
    features, _ = CODEC.encode_input(keypoints, np.ones((2, len(INFANT))), cameras)
    assert features == pytest.approx(encode(joints)[0], abs=1e-5)


def test_a_mirrored_image_gives_the_mirrored_input():
    joints = poses(2)
    flip = list(INFANT.flip_indices)
    features, view = encode(joints)
    mirrored = (joints * [-1, 1, 1])[:, flip]
    other, other_view = encode(mirrored)
    assert other == pytest.approx((features * [-1, 1, 1])[:, flip], abs=1e-5)
    expected = (CODEC.encode_target(joints, view) * [-1, 1, 1])[:, flip]
    assert CODEC.encode_target(mirrored, other_view) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("missing", [[0, 5], [ROOT, 3], list(range(25))])
def test_missing_joints_are_masked_and_nothing_becomes_nan(missing):
    joints = poses(2)
    keypoints, scores = project(joints, CAMERA), np.ones((2, 25))
    keypoints[0, missing] = np.nan
    scores[1, missing] = 0.01
    features, view = CODEC.encode_input(keypoints, scores, CAMERA)
    assert np.isfinite(features).all() and np.isfinite(view.rotation).all()
    assert (features[:, missing] == 0).all()
    assert (np.delete(features[..., 2], missing, axis=1) == 1).all()
    assert np.linalg.det(view.rotation) == pytest.approx([1, 1])
    joints[0, 4] = np.nan
    target = CODEC.encode_target(joints, view)
    assert np.isnan(target[0, 4]).all() and np.isfinite(target[1]).all()


def test_raw_pixels_keep_pixels_and_camera_axes():
    codec = RootRelativeCodec(INFANT, input="pixels")
    joints = poses(2)
    keypoints = project(joints, CAMERA)
    features, view = codec.encode_input(keypoints, np.ones((2, 25)), CAMERA)
    assert features == pytest.approx(keypoints, rel=1e-6)
    decoded = codec.decode(codec.encode_target(joints, view), view)
    assert decoded == pytest.approx(joints - joints[:, ROOT : ROOT + 1], abs=1e-3)


def test_sigma_is_in_millimetres_and_zero_at_the_root():
    sigma = CODEC.decode_sigma(np.log(np.full((2, 25), 0.3)))
    assert sigma[:, 0] == pytest.approx(30) and (sigma[:, ROOT] == 0).all()
