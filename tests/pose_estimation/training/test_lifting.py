from dataclasses import replace

import numpy as np
import pytest
import torch

from Datasets.loaders import Draw
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT, MPII_16
from Datasets.sources import DataSource
from Datasets.structures import DataError
from FasterRCNN.settings import TrainerSettings
from FasterRCNN.weights import load_weights
from PoseEstimation.codecs.root_relative import RootRelativeCodec
from PoseEstimation.models.martinez import MartinezConfig, MartinezLifter
from PoseEstimation.settings import (
    ELLERSHAW_LIFTING,
    LiftingSettings,
    NoiseSettings,
    OptimiserSettings,
)
from PoseEstimation.training.lifting import (
    TrainingBatches,
    ValidationBatches,
    flipped,
    make_lifter,
    make_loaders,
    pose_size_px,
    train_lifting,
    turned,
    with_noise,
)
from PoseEstimation.training.pose_bank import PoseBank, joined_banks, load_bank

COUNT = 300


@pytest.fixture(scope="module")
def bank_path(tmp_path_factory, make_poses):
    path = tmp_path_factory.mktemp("bank") / "poses.npz"
    keypoints_px, joints_mm = make_poses(COUNT, seed=5)
    cameras = np.tile(INTRINSICS, (COUNT, 1, 1))
    np.savez(path, keypoints_px=keypoints_px, joints_mm=joints_mm, intrinsics=cameras)
    return path


@pytest.fixture
def settings(root, bank_path):
    return LiftingSettings(
        train=(DataSource("mini_rgbd", "1", root),),
        pose_banks=(bank_path,),
        validation=DataSource("mini_rgbd", "2", root),
        width=64,
        batch_size=64,
        trainer=TrainerSettings(max_epochs=4, precision="32-true", patience=9),
    )


def test_a_run_learns_and_writes_weights_that_rebuild_the_lifter(settings, tmp_path, make_poses):
    easy = replace(
        settings,
        noise=None,
        any_rotation=False,
        optimiser=OptimiserSettings(learning_rate=5e-3, warmup_steps=5, average_decay=0.9),
        trainer=replace(settings.trainer, max_epochs=12),
    )
    train_lifting(easy, tmp_path)
    state, metadata = load_weights(tmp_path / "lifter.safetensors")
    lifter = MartinezLifter(MartinezConfig(**metadata["config"])).eval()
    lifter.load_state_dict(state)
    codec = RootRelativeCodec(INFANT, **metadata["codec"])
    keypoints_px, joints_mm = make_poses(50, seed=9)
    features, view = codec.encode_input(keypoints_px, np.ones((50, 25)), INTRINSICS)
    with torch.no_grad():
        output, log_sigma = lifter(torch.from_numpy(features))
    decoded = codec.decode(output.numpy(), view)
    truth = joints_mm - joints_mm[:, INFANT.root_index, None]
    error = np.linalg.norm(decoded - truth, axis=-1)
    assert (decoded[:, INFANT.root_index] == 0).all()
    assert error.mean() < 0.5 * np.linalg.norm(truth, axis=-1).mean()
    sigma = codec.decode_sigma(log_sigma.numpy())
    others = np.arange(25) != INFANT.root_index
    measured = np.sqrt((error[:, others] ** 2).mean() / 3)
    assert sigma[:, others].mean() == pytest.approx(measured, rel=0.5)


def test_a_batch_is_a_function_of_its_keys(settings, bank_path):
    batches = TrainingBatches(load_bank(bank_path), settings)
    keys = [Draw(0, 4), Draw(0, 8), Draw(0, 1)]
    first, again = batches(keys), batches(keys)
    assert all(torch.equal(first[k], again[k]) for k in first)
    later = batches([Draw(1, key.index) for key in keys])
    assert not torch.equal(first["features"], later["features"])


def test_without_noise_a_batch_is_the_codec_turned_and_mirrored(settings, bank_path):
    plain = replace(settings, noise=None, any_rotation=False, flip=False)
    bank, keys = load_bank(bank_path), [Draw(0, i) for i in range(32)]
    straight = TrainingBatches(bank, plain)(keys)
    varied = TrainingBatches(bank, replace(settings, noise=None))(keys)
    radius = {
        k: v["features"][..., :2].norm(dim=-1).sort().values
        for k, v in (("straight", straight), ("varied", varied))
    }
    assert torch.allclose(radius["straight"], radius["varied"], atol=1e-5)
    depth = [b["target"][..., 2].sort().values for b in (straight, varied)]
    assert torch.allclose(*depth, atol=1e-5)
    assert not torch.allclose(straight["features"], varied["features"], atol=0.1)


def test_flipping_twice_and_turning_back_are_identities():
    pose = np.random.default_rng(0).normal(size=(4, 25, 3)).astype(np.float32)
    every = np.ones(4, bool)
    (once,) = flipped(every, INFANT, pose)
    assert (flipped(every, INFANT, once)[0] == pose).all() and (once != pose).any()
    assert (flipped(~every, INFANT, pose)[0] == pose).all()
    angles = np.array([0.0, 1.0, 2.0, 3.0])
    (there,) = turned(angles, pose)
    assert turned(-angles, there)[0] == pytest.approx(pose, abs=1e-5)
    assert (there[..., 2] == pose[..., 2]).all()


def test_noise_has_the_stated_size_and_leaves_labels_and_input_alone(bank_path):
    bank = load_bank(bank_path)
    before = bank.keypoints_px.copy()
    noise = NoiseSettings(0.1, hard_factor=1.0, outlier_share=0.0)
    moved = with_noise(bank, noise, np.random.default_rng(0))
    relative = (moved.keypoints_px - before) / pose_size_px(bank)[:, None, None]
    assert relative.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.1)
    harder = with_noise(bank, replace(noise, hard_factor=3.0), np.random.default_rng(0))
    ratio = (harder.keypoints_px - before) / (moved.keypoints_px - before)
    for joint, factor in (("left_fingers", 3), ("nose", 3), ("pelvis", 1), ("left_knee", 1)):
        assert np.median(ratio[:, INFANT.index(joint)]) == pytest.approx(factor, rel=1e-2)
    assert (bank.keypoints_px == before).all() and moved.joints_mm is bank.joints_mm
    gone = with_noise(bank, NoiseSettings(missing_share=0.4), np.random.default_rng(0))
    limbs = [j for j, name in enumerate(INFANT.joints) if "knee" in name]
    assert (gone.scores[:, limbs] == 0).mean() == pytest.approx(0.2, abs=0.05)


def test_some_poses_have_the_joints_of_mini_rgbd_only(bank_path):
    only = NoiseSettings(0, missing_share=0.0, face_missing_share=0.0, mini_rgbd_share=1.0)
    left = with_noise(load_bank(bank_path), only, np.random.default_rng(0)).scores
    gone = {joint for joint, score in zip(INFANT.joints, left.T, strict=True) if not score.any()}
    assert gone == {"left_eye", "right_eye", "left_ear", "right_ear", "head_top"}
    assert (left == 1).mean() == 20 / 25


def test_missing_2d_is_masked_in_and_missing_3d_is_masked_out(settings, bank_path):
    bank = load_bank(bank_path).take(range(8))
    keypoints, joints = bank.keypoints_px.copy(), bank.joints_mm.copy()
    keypoints[:, 3], joints[:, 4] = np.nan, np.nan
    scores = np.where(np.isfinite(keypoints).all(-1), bank.scores, 0)
    holes = PoseBank(INFANT, keypoints, scores, joints, bank.intrinsics)
    batch = TrainingBatches(holes, replace(settings, flip=False))([Draw(0, i) for i in range(8)])
    assert torch.isfinite(batch["features"]).all() and (batch["features"][:, 3] == 0).all()
    assert (batch["mask"][:, [4, INFANT.root_index]] == 0).all()
    assert batch["mask"].sum() == 8 * 23


def test_validation_is_the_same_every_time(settings, bank_path):
    batches = ValidationBatches(load_bank(bank_path), settings)
    first, again = batches([0, 1, 2]), batches([0, 1, 2])
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert not torch.equal(first["true_features"], first["noisy_features"])


def test_the_published_recipe_reads_raw_pixels_of_16_joints(root, tmp_path):
    published = replace(
        ELLERSHAW_LIFTING, train=(DataSource("mini_rgbd", root=root),),
        validation=DataSource("mini_rgbd", root=root), width=32, batch_size=8,
        trainer=TrainerSettings(max_epochs=1, precision="32-true"),
    )  # fmt: skip
    train, _ = make_loaders(published)
    batch = next(iter(train))
    assert batch["features"].shape == (8, 16, 2) and batch["features"].abs().max() > 50
    assert make_lifter(published).config.root_index == MPII_16.root_index
    assert train_lifting(published, tmp_path).steps == 1
    with pytest.raises(ValueError, match="raw pixels"):
        replace(published, flip=True)


def test_a_bank_converts_to_the_published_joints_by_name(bank_path):
    infant, published = load_bank(bank_path), load_bank(bank_path, MPII_16)
    for joint in ("pelvis", "left_knee", "thorax"):
        a = infant.keypoints_px[:, INFANT.index(joint)]
        assert (published.keypoints_px[:, MPII_16.index(joint)] == a).all()


def test_bad_banks_are_named_in_one_line(tmp_path, bank_path):
    with pytest.raises(DataError, match="no such pose bank"):
        load_bank(tmp_path / "none.npz")
    (tmp_path / "broken.npz").write_bytes(bank_path.read_bytes()[:500])
    with pytest.raises(DataError, match="unreadable"):
        load_bank(tmp_path / "broken.npz")
    np.savez(
        tmp_path / "short.npz", keypoints_px=np.zeros((3, 25, 2)), joints_mm=np.zeros((2, 25, 3))
    )
    with pytest.raises(DataError, match=r"joints_mm.*expected"):
        load_bank(tmp_path / "short.npz")
    with pytest.raises(DataError, match="no poses"):
        joined_banks([])
