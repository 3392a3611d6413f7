"""Clips: what a batch is made of, that the network learns from it, and bad files."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from Datasets.geometry.camera import project
from Datasets.skeletons import INFANT
from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.sampling import Draw
from Engine.training_settings import OptimiserSettings, TrainerSettings
from Engine.weights import load_weights
from PoseEstimation.codecs.rays import UNIT_MM
from PoseEstimation.io.detection_cache import save_detections
from PoseEstimation.models import LIFTERS
from PoseEstimation.models.clip_lifter import ClipLifter
from PoseEstimation.models.configs import ClipLifterSettings
from PoseEstimation.settings import CameraSettings, ClipLiftingSettings, ClipNoiseSettings
from PoseEstimation.structures import Clip
from PoseEstimation.training import clip_lifting
from PoseEstimation.training.clip_lifting import (
    SLOW_FRAMES,
    TrainingClips,
    make_loaders,
    mirror,
    train_clip_lifting,
    turned,
)
from PoseEstimation.training.clip_noise import (
    add_detection_noise,
    add_independent_noise,
    bone_lengths,
    photo_noise,
    random_camera,
    resize_bones,
    with_depth,
)
from PoseEstimation.training.clip_tensors import validation_items
from PoseEstimation.training.clips import load_detections, load_movement_bank

FRAMES = 40
CLEAR = ClipNoiseSettings(photo_factor=1.0)
STILL = CameraSettings(moving_share=0.0)
QUIET = ClipNoiseSettings(bout_share=1e-9, missing_share=0.0, sigma_spread=0.0, bias=0.0)


@pytest.fixture(scope="module")
def bank(tmp_path_factory, make_poses):
    """Two infants of different size that wave slowly."""
    _, joints = make_poses(8, seed=5)
    joints = (joints - joints[:, :1])[:, :, [0, 1, 2]] * [1, -1, -1]
    share = (1 + np.cos(np.linspace(0, 6, FRAMES)))[:, None, None] / 2
    movements = [
        size * (share * joints[i] + (1 - share) * joints[i + 1])
        for i, size in ((0, 1.0), (2, 0.8), (4, 1.2))
    ]
    path = tmp_path_factory.mktemp("bank") / "movements.npz"
    np.savez(path, joints_mm=np.stack(movements).astype(np.float32), fps=np.float32(30))
    return path


@pytest.fixture
def settings(root, bank):
    return ClipLiftingSettings(
        movement_banks=(bank,),
        validation=DataSource("mini_rgbd", "2", root),
        runs=2,
        frames=9,
        shape_share=0.0,
        exact_share=0.3,
        single_share=0.15,
        cameras=CameraSettings(wide_share=0.3, wide_tilt_degrees=55.0),
        noise=CLEAR,
        network=ClipLifterSettings(width=48, frame_blocks=1, dilations=(1, 3)),
        batch_size=8,
        num_workers=0,
        optimiser=OptimiserSettings(learning_rate=3e-3, warmup_steps=5, average_decay=0.9),
        trainer=TrainerSettings(
            max_epochs=1, steps_per_epoch=60, precision="32-true", gradient_clip=5.0
        ),
    )


def clips(settings, bank) -> TrainingClips:
    return TrainingClips(load_movement_bank(bank), [], [], settings)


def one_camera(movement: np.ndarray) -> Clip:
    """All frames of a sequence before one still camera."""
    joints_mm = movement[None].astype(np.float64)
    return random_camera(joints_mm, STILL, np.random.default_rng(0))[0]


def test_a_run_learns_and_writes_weights_that_rebuild_the_lifter(settings, tmp_path):
    short = replace(settings, trainer=replace(settings.trainer, steps_per_epoch=2))
    before = train_clip_lifting(short, tmp_path / "a")
    after = train_clip_lifting(settings, tmp_path / "b")
    assert after.best_loss < 0.8 * before.best_loss
    network, metadata = LIFTERS.load(tmp_path / "b" / "lifter.safetensors")
    assert isinstance(network, ClipLifter) and metadata["codec"]["min_score"] == 0.05


@pytest.mark.parametrize("skeleton", ["mini_rgbd_25", "mpii_16"])
def test_other_conventions_are_learnt(settings, root, tmp_path, skeleton):
    """Thirty steps leave less than four fifths of the error of one."""
    videos = (DataSource("mini_rgbd", "1", root),)
    other = replace(settings, skeleton=skeleton, movement_banks=(), train=videos, frames=3)
    losses = {
        steps: train_clip_lifting(
            replace(other, trainer=replace(settings.trainer, steps_per_epoch=steps)),
            tmp_path / str(steps),
        ).best_loss
        for steps in (1, 30)
    }
    assert losses[30] < 0.8 * losses[1]
    assert load_weights(tmp_path / "30" / "lifter.safetensors")[1]["skeleton"] == skeleton


def test_a_batch_is_a_function_of_its_keys(settings, bank):
    make = clips(settings, bank)
    keys = [Draw(0, i) for i in range(4)]
    first, again = make(keys), make(keys)
    assert all(torch.equal(first[k].nan_to_num(), again[k].nan_to_num()) for k in first)
    later = make([Draw(1, key.item) for key in keys])
    assert not torch.equal(first["target"], later["target"])


def test_exact_clips_are_true_rays_of_their_targets(settings, bank):
    """Along every ray lies its joint: what the features say is what the target says."""
    still = replace(settings.cameras, moving_share=0.0)
    shares = {"joint_sets_share": 0, "rounded_share": 0, "single_share": 0, "slow_share": 0}
    exact = replace(settings, exact_share=1.0, cameras=still, **shares)
    batch = clips(exact, bank)([Draw(0, i) for i in range(4)])
    features, target = batch["features"], batch["target"]
    assert (features[..., 3:] == 0).all() and (features[..., 2] == 1).all()
    radius = batch["radius"].view(-1, 1, 1, 1, 1)
    across = features[..., :2] * radius
    # (x, y) = ray * (Z + z) - root's ray * Z, with one unknown Z per pose
    root = across[..., INFANT.root_index, None, :]
    offset = across - root
    distance = ((target[..., :2] - across * target[..., 2:]) * offset).sum((-1, -2))
    distance = distance / offset.square().sum((-1, -2))
    expected = offset * distance[..., None, None] + across * target[..., 2:]
    assert torch.allclose(expected, target[..., :2], atol=2e-3)
    assert distance.min() > 3 and distance.max() < 25


def test_batches_of_photos_have_single_frames(settings, bank):
    photos = clips(replace(settings, single_share=1.0), bank)([Draw(0, i) for i in range(4)])
    assert photos["features"].shape[1:3] == (1, 1) and len(photos["features"]) > 4


def test_a_share_of_the_photos_is_known_but_for_its_place(settings, bank):
    movement = load_movement_bank(bank)[0]
    clip = random_camera(movement[None].astype(np.float64), STILL, np.random.default_rng(0))[0]
    known = np.arange(25) < 9
    clip = replace(clip, joints_mm=np.where(known[:, None], clip.joints_mm, np.nan))
    only = replace(settings, single_share=1.0, weak_share=0.25)
    keys = [Draw(0, i) for i in range(4)]
    batch = TrainingClips([movement], [], [], only, weak=[clip])(keys)
    weak = batch["weak"]
    assert weak.sum() == round(0.25 * len(weak)) and weak.dtype == torch.bool
    labels = batch["mask"].sum(-1).ravel()
    assert (labels[weak] <= 9).all() and (labels[~weak] == 24).all()
    videos = TrainingClips([movement], [], [], replace(only, single_share=0.0), weak=[clip])(keys)
    assert not videos["weak"].any()


def test_independent_noise_has_the_stated_size(bank):
    movement, rng = load_movement_bank(bank)[0], np.random.default_rng(0)
    clip = random_camera(movement[None].astype(np.float64), STILL, rng)[0]
    clip = with_depth(clip, INFANT.root_index)
    noise = replace(QUIET, sigma=0.05)
    seen = add_independent_noise(clip, noise, rng)
    spread = np.nanstd(clip.keypoints_px, axis=-2).mean()
    off = (seen.keypoints_px - clip.keypoints_px).std()
    assert off == pytest.approx(0.05 * spread, rel=0.05)
    assert seen.sigma_px.mean() == pytest.approx(0.05 * spread, rel=0.05)
    assert (seen.depth_px - clip.depth_px).std() > 0 and (seen.scores == clip.scores).all()
    assert (add_independent_noise(clip, replace(noise, missing_share=0.9), rng).scores == 0).any()


def test_the_noise_of_photos_is_larger_by_up_to_the_factor():
    rng, noise = np.random.default_rng(0), ClipNoiseSettings(photo_factor=6.0)
    drawn = [photo_noise(noise, rng) for _ in range(2000)]
    factors = np.array([each.sigma / noise.sigma for each in drawn])
    assert 1 <= factors.min() < 1.1 and 5.5 < factors.max() <= 6
    assert np.log(factors).mean() == pytest.approx(np.log(6) / 2, rel=0.05)
    depths = np.array([each.depth_sigma / noise.depth_sigma for each in drawn])
    np.testing.assert_allclose(depths**2, factors)
    assert photo_noise(CLEAR, rng) == CLEAR


def test_only_single_photos_get_the_larger_noise(settings, bank):
    movements, spreads = load_movement_bank(bank), {}
    for factor in (1.0, 30.0):
        noisy = replace(settings, noise=ClipNoiseSettings(photo_factor=factor))
        clips = TrainingClips(movements, [], [], noisy)
        for kind, shape in (("photo", (1, 1)), ("video", (settings.runs, settings.frames))):
            rng = np.random.default_rng(1)
            drawn = [clips.draw(*shape, rng).sigma_px.mean() for _ in range(60)]
            spreads[kind, factor] = np.median(drawn)
    assert spreads["photo", 30.0] > 3 * spreads["photo", 1.0]
    assert spreads["video", 30.0] == pytest.approx(spreads["video", 1.0], rel=0.3)


def test_nothing_is_learnt_from_trunks_at_the_camera(settings, bank, monkeypatch):
    clips = TrainingClips(load_movement_bank(bank), [], [], settings)
    keys = [Draw(0, i) for i in range(9)]
    radius = clips(keys)["radius"]
    monkeypatch.setattr(clip_lifting, "GREATEST_RADIUS", float(radius.median()))
    batch = clips(keys)
    assert torch.equal(batch["radius"], radius)
    assert torch.equal(batch["mask"].flatten(1).any(1), radius < radius.median())
    assert batch["mask"].any()


def test_photos_together_count_as_one_sequence(settings, bank, tmp_path):
    movement = load_movement_bank(bank)[0]
    clip = random_camera(movement[None].astype(np.float64), STILL, np.random.default_rng(0))[0]
    path = tmp_path / "observed.npz"
    save_detections(path, clip[:5], list("abcde"), range(5), INFANT)
    before = validation_items(settings, INFANT)
    after = validation_items(replace(settings, validation_photos=path), INFANT)
    assert len(after) == len(before) + 1 and after[-1]["observed"]
    assert after[-1]["features"].shape[:3] == (5, 1, 1)
    assert after[0]["features"].shape[:2] == (1, 1)


def test_random_cameras_project_exactly_from_all_sides():
    body = np.random.default_rng(0).normal(0, 100, (1, 2, 25, 3))
    cameras = CameraSettings(wide_share=0.5, moving_share=0.3)
    views = [random_camera(body, cameras, np.random.default_rng(i)) for i in range(40)]
    for view in views:
        back = project(view.joints_mm.reshape(-1, 3), view.intrinsics[0, 0]).reshape(1, 2, 25, 2)
        assert back == pytest.approx(view.keypoints_px, abs=1e-6)
        size = np.linalg.norm(view.joints_mm[..., 0, :] - view.joints_mm[..., 9, :], axis=-1)
        assert size == pytest.approx(np.linalg.norm(body[..., 0, :] - body[..., 9, :], axis=-1))
    distances = [v.joints_mm[..., 2].mean() for v in views]
    assert min(distances) < 800 < 1300 < max(distances)


def test_noise_has_the_stated_size_and_is_reported():
    body = np.random.default_rng(0).normal(0, 100, (1, 1, 25, 3)).repeat(200, 1)
    clip = with_depth(random_camera(body, STILL, np.random.default_rng(1)), INFANT.root_index)
    parts = [add_detection_noise(clip, INFANT, QUIET, np.random.default_rng(i)) for i in range(200)]
    error = np.stack([p.keypoints_px - clip.keypoints_px for p in parts])
    sigma = np.stack([p.sigma_px for p in parts])
    z = error / sigma[..., None]
    assert np.sqrt((z**2).mean()) == pytest.approx(1, abs=0.25)
    spread = np.nanstd(clip.keypoints_px, axis=-2).mean()
    hip, wrist = INFANT.index("left_hip"), INFANT.index("left_wrist")
    assert np.std(error[..., hip, :]) == pytest.approx(QUIET.sigma * spread, rel=0.3)
    assert np.std(error[..., wrist, :]) > 1.4 * np.std(error[..., hip, :])
    step = np.diff(error, axis=2)
    assert np.std(step) < 1.2 * np.std(error)  # white noise would have 1.41
    depth = np.stack([p.depth_px for p in parts])
    assert np.corrcoef(depth.mean(0).ravel(), clip.depth_px.ravel())[0, 1] > 0.95


def test_errors_of_depths_grow_the_more_bones_lie_between(make_poses):
    _, joints_mm = make_poses(30)
    clip = random_camera(joints_mm[None], CameraSettings(moving_share=0), np.random.default_rng(0))
    clip = with_depth(clip, INFANT.root_index)
    true = replace(QUIET, depth_shrink=1.0)
    parts = [add_detection_noise(clip, INFANT, true, np.random.default_rng(i)) for i in range(100)]
    error = np.std([p.depth_px - clip.depth_px for p in parts], axis=(0, 1, 2))
    names = ("pelvis", "left_hip", "left_knee", "left_ankle", "left_toes")
    chain = [error[INFANT.index(name)] for name in names]
    assert chain[0] == 0 and (np.diff(chain) > 0).all()


def test_a_part_of_the_error_is_one_bias_of_bone_lengths_per_clip(make_poses):
    _, joints_mm = make_poses(6)
    clip = random_camera(joints_mm[None], CameraSettings(moving_share=0), np.random.default_rng(0))
    still = replace(QUIET, sigma=1e-9, bias=0.1)
    seen = add_detection_noise(clip, INFANT, still, np.random.default_rng(1))
    first, second = np.array(INFANT.bone_indices).T
    before, after = (
        c.keypoints_px[..., second, :] - c.keypoints_px[..., first, :] for c in (clip, seen)
    )
    ratios = np.linalg.norm(after, axis=-1) / np.linalg.norm(before, axis=-1)
    # perspective alone varies it, most where a bone points at the camera
    assert np.median(np.std(ratios, axis=(0, 1))) < 0.03
    spread = np.std(np.log(np.median(ratios, (0, 1))))
    assert 0.02 < spread < 0.3
    assert (seen.joints_mm == clip.joints_mm).all()


def test_resized_bones_keep_their_directions():
    pose = np.random.default_rng(0).normal(0, 100, (4, 25, 3))
    ratios = np.random.default_rng(1).uniform(0.5, 1.5, len(INFANT.bones))
    other = resize_bones(pose, ratios, INFANT)
    first, second = np.array(INFANT.bone_indices).T
    bones, changed = (p[:, second] - p[:, first] for p in (pose, other))
    assert changed == pytest.approx(bones * ratios[:, None])
    assert (other[:, INFANT.root_index] == pose[:, INFANT.root_index]).all()
    lengths = bone_lengths(pose[:1].repeat(5, 0), INFANT)
    assert lengths == pytest.approx(np.linalg.norm(bones[0], axis=-1))
    assert resize_bones(pose, np.ones(len(INFANT.bones)), INFANT) == pytest.approx(pose)


def test_turning_and_mirroring_are_undone():
    values = torch.randn(3, 2, 4, 25, 6)
    angles = torch.tensor([0.1, 2.0, -3.0])
    assert torch.allclose(turned(turned(values, angles), -angles), values, atol=1e-5)
    assert torch.equal(mirror(mirror(values)), values)


def test_cached_detections_are_trained_on_and_survive_the_file(settings, bank, tmp_path):
    movement = load_movement_bank(bank)[0]
    runs = movement[None].astype(np.float64)
    clip = random_camera(runs, STILL, np.random.default_rng(0))[0]
    path = tmp_path / "observed.npz"
    save_detections(path, clip, ["7"] * FRAMES, range(FRAMES), INFANT)
    (seen,) = load_detections(path)
    assert seen.keypoints_px == pytest.approx(clip.keypoints_px, rel=1e-5)
    only = replace(settings, detections_share=1.0, single_share=0.0, slow_share=0.0)
    batch = TrainingClips([movement], [seen], [], only)([Draw(0, 0), Draw(0, 1)])
    length = batch["target"].norm(dim=-1)[..., INFANT.index("left_knee")] * UNIT_MM
    pelvis, knee = INFANT.root_index, INFANT.index("left_knee")
    right = INFANT.index("right_knee")
    truth = np.linalg.norm(movement - movement[:, pelvis, None], axis=-1)
    low, high = truth[:, [knee, right]].min(), truth[:, [knee, right]].max()
    assert low - 0.1 <= length.min() and length.max() <= high + 0.1


def test_batches_of_slow_videos_have_frames_from_anywhere(settings, bank):
    movement = load_movement_bank(bank)[0]
    shares = {"detections_share": 1.0, "single_share": 0.0, "slow_share": 1.0}
    runs = movement[None, ::9].astype(np.float64)
    slow = random_camera(runs, STILL, np.random.default_rng(0))[0]
    batch = TrainingClips([movement], [], [slow], replace(settings, **shares))([Draw(0, 0)] * 3)
    assert batch["target"].shape[1:3] == (SLOW_FRAMES, 1)
    lengths = batch["target"].norm(dim=-1)[..., INFANT.index("left_knee")]
    assert len(lengths[0].unique()) > 2
    usual = replace(settings, **{**shares, "slow_share": 0.0, "exact_share": 1.0})
    other = TrainingClips([movement], [], [slow], usual)([Draw(0, 0)])
    assert other["target"].shape[2] == settings.frames  # what is slow is not taken for fast


def test_bad_input_is_named_in_one_line(settings, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_movement_bank(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(DataError, match="unreadable"):
        load_movement_bank(tmp_path / "broken.npz")
    np.savez(tmp_path / "other.npz", joints_mm=np.zeros((2, 25, 3)))
    with pytest.raises(DataError, match="no movement bank"):
        load_movement_bank(tmp_path / "other.npz")
    with pytest.raises(DataError, match="is missing"):
        load_detections(tmp_path / "other.npz")
    with pytest.raises(DataError, match="no movements"):
        make_loaders(replace(settings, movement_banks=()))
    with pytest.raises(DataError, match="validation"):
        make_loaders(replace(settings, validation=None))


def test_a_short_movement_repeats_its_last_frame(settings):
    short = np.random.default_rng(0).normal(0, 100, (3, 25, 3)).astype(np.float32)
    fixed = replace(settings.cameras, moving_share=0.0)
    still = replace(settings, single_share=0.0, slow_share=0.0, exact_share=1.0, cameras=fixed)
    batch = TrainingClips([short], [], [], still)([Draw(0, 0)])
    assert batch["target"].shape == (1, 2, 9, 25, 3)
    assert torch.allclose(batch["target"][:, :, 2], batch["target"][:, :, 8], atol=1e-4)


def test_a_photo_is_no_video(settings, bank):
    """Clips of several frames are cut from detections in several frames, runs from fast videos."""
    movements = load_movement_bank(bank)
    parts = []
    for movement, frames, score in zip(
        movements, (1, FRAMES, FRAMES), (0.2, 0.4, 0.6), strict=True
    ):
        clip = one_camera(movement)[:frames]
        parts.append(replace(clip, scores=np.full_like(clip.scores, score)))
    photo, slow, fast = parts
    only = replace(settings, detections_share=1.0)
    made, rng = TrainingClips(movements, [fast], [photo, slow], only), np.random.default_rng(0)
    for runs, frames, allowed in ((1, 1, {0.2, 0.4, 0.6}), (3, 1, {0.4, 0.6}), (2, 9, {0.6})):
        drawn = {float(made.draw(runs, frames, rng).scores.max()) for _ in range(40)}
        assert drawn == allowed
