import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Datasets.geometry.camera import intrinsics_matrix, project
from Datasets.skeletons import INFANT, MINI_RGBD_25, MPI_INF_17, MPII_16
from PoseEstimation.codecs.pixels import PixelCodec
from PoseEstimation.codecs.rays import CORNER_SPREAD, CORNERS, HIGH, LOW, UNIT_MM, RayCodec

CAMERA = intrinsics_matrix(588.7, 590.3, 322.2, 237.5)
CODEC = RayCodec(INFANT)
MIRROR = [-1, 1, 1, 1, 1, 1]
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
    """Encode poses as clips of one frame: features (pose, joint, 6) and their sights."""
    return encode_points(project(joints_mm, intrinsics), intrinsics)


def encode_points(keypoints, intrinsics=CAMERA, scores=None, sigma=None, depth=None):
    scores = np.ones(keypoints.shape[:-1]) if scores is None else scores
    others = [None if v is None else v[:, None, None] for v in (sigma, depth)]
    features, sight = CODEC.encode_input(
        keypoints[:, None, None], scores[:, None, None], intrinsics, *others
    )
    return features[:, 0, 0], sight


def encode_target(joints_mm, sight):
    return CODEC.encode_target(joints_mm[:, None, None], sight)[:, 0, 0]


def test_target_round_trip_in_a_batch_and_one_by_one():
    joints = poses(7)
    features, view = encode(joints)
    targets = encode_target(joints, view)
    decoded = CODEC.decode(targets[:, None, None], view)[:, 0, 0]
    assert decoded == pytest.approx(joints - joints[:, ROOT : ROOT + 1], abs=1e-3)
    assert (targets[:, ROOT] == 0).all()
    for i in range(len(joints)):
        one, one_view = encode(joints[i : i + 1])
        assert one[0] == pytest.approx(features[i], abs=1e-6)
        assert encode_target(joints[i : i + 1], one_view)[0] == pytest.approx(targets[i], abs=1e-6)


def test_frames_of_a_clip_share_one_view_and_one_unit():
    """What is still stays still, however the pelvis is seen to jump."""
    joints = np.tile(poses(1), (2, 3, 1, 1))
    keypoints = project(joints.reshape(-1, 25, 3), CAMERA).reshape(2, 3, 25, 2)
    keypoints[0, 1, ROOT] += 9
    features, sight = CODEC.encode_input(keypoints[None], np.ones((1, 2, 3, 25)), CAMERA)
    target = CODEC.encode_target(joints[None], sight)
    assert sight.rotation.shape == (1, 3, 3) and sight.radius.shape == (1,)
    assert np.ptp(target, axis=(1, 2)).max() == 0
    others = np.arange(25) != ROOT
    assert np.ptp(features[..., others, :], axis=(1, 2)).max() == 0


@settings(deadline=None, max_examples=30)
@given(degrees=st.tuples(*[st.floats(-15, 15)] * 3), seed=st.integers(0, 99))
def test_turning_the_camera_changes_input_and_target_only_in_plane(degrees, seed):
    joints = poses(1, seed)
    rotation = turn(0, degrees[0]) @ turn(1, degrees[1]) @ turn(2, 4 * degrees[2])
    before, view = encode(joints)
    after, turned_view = encode(joints @ rotation.T)
    a, b = before[0, :, :2], after[0, :, :2]
    u, _, vt = np.linalg.svd(a.T @ b)
    in_plane = u @ vt
    assert np.linalg.det(in_plane) == pytest.approx(1)
    assert a @ in_plane == pytest.approx(b, abs=1e-4)
    target = encode_target(joints, view)[0]
    assert view.radius == pytest.approx(turned_view.radius, rel=1e-4)
    expected = np.concatenate([target[:, :2] @ in_plane, target[:, 2:]], axis=-1)
    found = encode_target(joints @ rotation.T, turned_view)[0]
    assert found == pytest.approx(expected, abs=1e-3)


def test_input_does_not_depend_on_the_focal_length_or_the_size():
    joints = poses(3)
    features, _ = encode(joints)
    zoomed, _ = encode(joints, intrinsics_matrix(1200, 1200, 900, 500))
    larger, _ = encode(joints * 1.7)
    assert zoomed == pytest.approx(features, abs=1e-5)
    assert larger == pytest.approx(features, abs=1e-5)
    corners = features[:, INFANT.indices(CORNERS), :2]
    square = ((corners - corners.mean(1, keepdims=True)) ** 2).sum((-1, -2)) / len(CORNERS)
    assert np.sqrt(square) == pytest.approx(CORNER_SPREAD, abs=1e-5)
    assert features[:, ROOT, :2] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("skeleton", [INFANT, MINI_RGBD_25, MPII_16, MPI_INF_17])
def test_the_trunk_points_up_in_every_convention(skeleton):
    codec, count = RayCodec(skeleton), len(skeleton)
    keypoints = np.random.default_rng(1).uniform(100, 400, (6, 1, 1, count, 2))
    features, _ = codec.encode_input(keypoints, np.ones((6, 1, 1, count)), CAMERA)
    low, high = (
        features[..., skeleton.indices([j for j in ends if j in skeleton.joints]), :2].mean(-2)
        for ends in (LOW, HIGH)
    )
    trunk = (high - low)[:, 0, 0]
    assert np.abs(trunk[:, 0]).max() < 1e-4 and (trunk[:, 1] < 0).all()


def test_one_camera_per_pose():
    joints = poses(2)
    cameras = np.stack([CAMERA, intrinsics_matrix(1200, 1100, 900, 500)])
    keypoints = np.stack([project(j, k) for j, k in zip(joints, cameras, strict=True)])
    features, _ = encode_points(keypoints, cameras)
    assert features == pytest.approx(encode(joints)[0], abs=1e-5)


def test_a_mirrored_image_gives_the_mirrored_input():
    joints = poses(2)
    flip = list(INFANT.flip_indices)
    features, view = encode(joints)
    mirrored = (joints * [-1, 1, 1])[:, flip]
    other, other_view = encode(mirrored)
    assert other == pytest.approx((features * MIRROR)[:, flip], abs=1e-5)
    expected = (encode_target(joints, view) * [-1, 1, 1])[:, flip]
    assert encode_target(mirrored, other_view) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("missing", [[0, 5], [ROOT, 3], list(range(25))])
def test_missing_joints_are_masked_and_nothing_becomes_nan(missing):
    joints = poses(2)
    keypoints, scores = project(joints, CAMERA), np.ones((2, 25))
    keypoints[0, missing] = np.nan
    scores[1, missing] = 0.01
    features, view = encode_points(keypoints, CAMERA, scores)
    assert np.isfinite(features).all() and np.isfinite(view.rotation).all()
    assert (features[:, missing] == 0).all()
    assert (np.delete(features[..., 2], missing, axis=1) == 1).all()
    assert np.linalg.det(view.rotation) == pytest.approx([1, 1])
    joints[0, 4] = np.nan
    target = encode_target(joints, view)
    assert np.isnan(target[0, 4]).all() and np.isfinite(target[1]).all()


def test_depth_and_uncertainty_are_in_units_of_the_pose():
    joints = poses(2)
    keypoints, ones = project(joints, CAMERA), np.ones((2, 25))
    depth = np.linspace(-40, 40, 50).reshape(2, 25)
    depth[0, 3] = np.nan
    features, sight = encode_points(keypoints, CAMERA, ones, 4 * ones, depth)
    plain, _ = encode_points(keypoints)
    assert (features[..., :3] == plain[..., :3]).all() and (plain[..., 3:] == 0).all()
    focal = np.sqrt(588.7 * 590.3)
    unit = (sight.radius * focal)[:, None]
    known = np.isfinite(depth)
    assert features[..., 3] == pytest.approx(np.where(known, depth, 0) / unit, abs=1e-5)
    assert (features[..., 4] == known).all()
    assert features[..., 5] ** 2 == pytest.approx(np.broadcast_to(4 / unit, (2, 25)), rel=1e-5)


def test_depth_of_a_true_pose_times_its_distance_is_the_depth_in_millimetres():
    joints = poses(3)
    root = joints[:, ROOT]
    distance = np.linalg.norm(root, axis=-1)
    along = np.einsum("njc,nc->nj", joints - root[:, None], root / distance[:, None])
    focal = np.sqrt(588.7 * 590.3)
    depth = along / distance[:, None] * focal
    features, sight = encode_points(project(joints, CAMERA), depth=depth)
    target = encode_target(joints, sight)
    scale = (distance * sight.radius / UNIT_MM)[:, None]
    assert features[..., 3] * scale == pytest.approx(target[..., 2], abs=1e-3)


def test_raw_pixels_keep_pixels_and_camera_axes():
    codec = PixelCodec(INFANT)
    joints, scores = poses(2), np.ones((2, 25))
    keypoints = project(joints, CAMERA)
    scores[0, 4], keypoints[1, 7] = 0.01, np.nan
    features = codec.encode_input(keypoints, scores)
    assert (features[0, 4] == 0).all() and (features[1, 7] == 0).all()
    assert features[0, 5] == pytest.approx(keypoints[0, 5], rel=1e-6)
    decoded = codec.decode(codec.encode_target(joints))
    assert decoded == pytest.approx(joints - joints[:, ROOT : ROOT + 1], abs=1e-3)


def test_sigma_is_in_millimetres_and_zero_at_the_root():
    sigma = CODEC.decode_sigma(np.log(np.full((2, 25), 0.3)), 1)
    assert sigma[:, 0] == pytest.approx(30) and (sigma[:, ROOT] == 0).all()


def test_the_factor_on_sigma_is_that_of_the_clips_length():
    codec = RayCodec(INFANT, sigma_scale=(1.0, 2.0, 3.0, 4.0, 5.0))
    for frames, factor in ((1, 1), (8, 2), (27, 3), (100, 4), (300, 5), (5000, 5)):
        assert codec.decode_sigma(np.zeros((1, 25)), frames)[0, 0] == pytest.approx(100 * factor)
    assert 200 < codec.decode_sigma(np.zeros((1, 25)), 12)[0, 0] < 300


def test_the_unit_does_not_depend_on_what_else_is_given():
    keypoints = project(poses(4), CAMERA)
    _, view = encode_points(keypoints)
    few = np.isin(INFANT.joints, [*CORNERS, "pelvis", "nose"]).astype(float)
    _, other = encode_points(keypoints, scores=np.tile(few, (4, 1)))
    assert other.radius == pytest.approx(view.radius, rel=1e-9)
    three = few * (np.array(INFANT.joints) != "left_hip")
    without = encode_points(keypoints, scores=np.tile(three, (4, 1)))[1].radius
    assert (without > 0.3 * view.radius).all() and (without < 3 * view.radius).all()
    none = np.zeros((4, 25))
    none[:, :3] = 1
    assert np.isfinite(encode_points(keypoints, scores=none)[0]).all()
