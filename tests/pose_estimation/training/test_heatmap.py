import csv
from dataclasses import replace

import numpy as np
import pytest
import torch

from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.sampling import Draw
from Engine.training_settings import TrainerSettings
from Engine.weights import load_initial, load_weights
from PoseEstimation.chains.ellershaw import HEATMAP
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.models.configs import PoseResNetSettings
from PoseEstimation.models.pose_resnet import PoseResNet, PoseResNetConfig
from PoseEstimation.settings import HeatmapSettings, OptimiserSettings
from PoseEstimation.training.heatmap import (
    HeatmapModule,
    make_codec,
    make_loaders,
    make_network,
    train_heatmap,
)

TINY = TrainerSettings(max_epochs=2, steps_per_epoch=2, precision="32-true", log_every=1)


@pytest.fixture
def settings(root):
    return HeatmapSettings(
        train=(DataSource("mini_rgbd", "1", root),),
        validation=DataSource("mini_rgbd", "2", root),
        input_size=64,
        network=PoseResNetSettings(head_channels=16),
        batch_size=3,
        num_workers=0,
        optimiser=OptimiserSettings(warmup_steps=1),
        trainer=TINY,
    )


def test_a_run_writes_weights_that_rebuild_the_network(settings, tmp_path):
    summary = train_heatmap(settings, tmp_path)
    assert summary.steps == 4
    state, metadata = load_weights(tmp_path / "heatmap.safetensors")
    assert (metadata["model"], metadata["skeleton"]) == ("PoseResNet", "infant")
    network = PoseResNet(PoseResNetConfig(**metadata["config"])).eval()
    network.load_state_dict(state)
    codec = HeatmapCodec(**metadata["codec"])
    with torch.no_grad():
        keypoints, _, sigma = codec.decode(network(torch.rand(1, 3, 64, 64)).heatmaps)
    assert keypoints.shape == (1, 25, 2) and torch.isfinite(sigma).all()
    with (tmp_path / "log.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    rates = [float(r["value"]) for r in rows if r["name"] == "learning_rate"]
    assert rates == sorted(rates, reverse=True) and rates[-1] < 0.2 * rates[0]
    assert {"validation_error_px", "validation_near", "validation_depth"} <= {
        r["name"] for r in rows
    }


def test_a_run_goes_on_from_earlier_weights(settings, tmp_path):
    once = replace(settings, trainer=replace(TINY, max_epochs=1, steps_per_epoch=1))
    train_heatmap(once, tmp_path / "a")
    weights = tmp_path / "a" / "heatmap.safetensors"
    train_heatmap(replace(once, initial_weights=weights), tmp_path / "b")
    with pytest.raises(DataError, match="does not fit"):
        train_heatmap(
            replace(once, initial_weights=weights, network=PoseResNetSettings(head_channels=8)),
            tmp_path / "c",
        )


def test_the_first_layers_stay_as_they_began_where_wanted(settings, tmp_path):
    once = replace(settings, trainer=replace(TINY, max_epochs=1))
    train_heatmap(once, tmp_path / "a")
    begun, _ = load_weights(tmp_path / "a" / "heatmap.safetensors")
    for kept in (False, True):
        later = replace(
            once, initial_weights=tmp_path / "a" / "heatmap.safetensors", keep_first=kept
        )
        train_heatmap(later, tmp_path / str(kept))
        state, _ = load_weights(tmp_path / str(kept) / "heatmap.safetensors")
        first = [name for name in state if name.startswith(("stem.", "stages.0."))]
        assert all(torch.equal(state[name], begun[name]) for name in first) == kept
        assert not torch.equal(state["head.0.weight"], begun["head.0.weight"])
    with pytest.raises(DataError, match="needs initial_weights"):
        train_heatmap(replace(once, keep_first=True), tmp_path / "random")


def test_what_a_source_calls_a_joint_moves_its_heatmaps_and_its_error_bars(
    settings, tmp_path, monkeypatch
):
    module = HeatmapModule(replace(settings, train=(replace(settings.train[0], shifted=True),)))
    with torch.no_grad():
        module.shifts.shares.fill_(0.5)
    given_keypoints = []

    def record(maps, batch, keypoints, weights):
        given_keypoints.append(keypoints)
        return 0.0, 0.0

    monkeypatch.setattr(module, "_depth_and_sigma", record)
    loader, _ = make_loaders(settings, tmp_path)
    batch = next(iter(loader))
    module.training_step({**batch, "source": torch.zeros(3, dtype=torch.int64)}, 0)
    seen = batch["visibility"] > 0
    moved = (given_keypoints[0] - batch["keypoints_px"])[seen].norm(dim=-1)
    assert (moved > 0.5).float().mean() > 0.5 and not given_keypoints[0].requires_grad


def test_heatmaps_alone_grow_depths_and_keep_their_maps(settings, tmp_path):
    alone = replace(settings, depth_weight=0.0, trainer=replace(TINY, max_epochs=1))
    train_heatmap(alone, tmp_path)
    weights, images = tmp_path / "heatmap.safetensors", torch.rand(1, 3, 64, 64)
    grown = make_network(settings)
    load_initial(grown, weights)
    state, metadata = load_weights(weights)
    before = PoseResNet(PoseResNetConfig(**metadata["config"])).eval()
    before.load_state_dict(state)
    with torch.no_grad():
        old, new = before(images), grown.eval()(images)
    assert old.depth is None and old.log_sigma is None
    assert new.heatmaps.shape == new.depth.shape == new.log_sigma.shape == (1, 25, 16, 16)
    # the same weights, multiplied in a matrix of another size: equal but for rounding
    torch.testing.assert_close(new.heatmaps, old.heatmaps, rtol=1e-4, atol=1e-6)


def test_the_network_learns_the_dots(settings, tmp_path):
    trainer = replace(TINY, max_epochs=1, steps_per_epoch=25)
    optimiser = OptimiserSettings(learning_rate=2e-3, warmup_steps=5, average_decay=0.8)
    longer = replace(settings, augment=False, optimiser=optimiser, trainer=trainer)
    before = train_heatmap(replace(longer, trainer=replace(TINY, max_epochs=1)), tmp_path / "a")
    after = train_heatmap(longer, tmp_path / "b")
    assert after.best_loss < 0.95 * before.best_loss


def test_the_published_recipe_is_a_setting(root):
    network, codec = make_network(HEATMAP), make_codec(HEATMAP)
    assert network.config.num_joints == 16 and not network.config.head_batch_norm
    assert codec.kind == "gaussian" and codec.heatmap_size == 64 and codec.crop_margin == 1
    assert network.config.maps_per_joint == 1


def test_a_missing_validation_folder_is_named(settings, tmp_path):
    with pytest.raises(DataError, match="validation"):
        train_heatmap(replace(settings, validation=None), tmp_path)


@pytest.mark.parametrize("share", [None, 1.0])
@pytest.mark.parametrize("setting", ["any_angle_share", "occlusion_share", "photometric_share"])
def test_shares_reach_the_crops(settings, root, tmp_path, share, setting):
    still = {"any_angle_share": 0.0, "occlusion_share": 0.0, "photometric_share": 0.0}
    source = DataSource("mini_rgbd", "1", root, share=share)
    seen = []
    for varied_share in (0.0, 1.0):
        varied = replace(settings, train=(source,), **{**still, setting: varied_share})
        train, _ = make_loaders(varied, tmp_path)
        seen.append(train.dataset[Draw(0, 0)]["image"])
    assert not torch.equal(*seen)


def test_a_recipe_mixes_sources_by_their_shares(settings, root, tmp_path):
    """Each crop shows an image of the source whose number it bears; shares decide how often."""
    parts = tuple(DataSource("mini_rgbd", str(i), root, share=s) for i, s in ((1, 3.0), (2, 1.0)))
    mixed = replace(settings, train=parts, augment=False)
    train, _ = make_loaders(mixed, tmp_path)
    drawn = [train.dataset[Draw(r, i)] for r in range(12) for i in range(10)]
    sources = np.array([int(item["source"]) for item in drawn])
    assert (sources == 0).mean() == pytest.approx(0.75, abs=0.1)
    for number, part in enumerate(parts):
        alone, _ = make_loaders(replace(mixed, train=(replace(part, share=None),)), tmp_path)
        images = [alone.dataset[Draw(0, i)]["image"] for i in range(len(alone.dataset))]
        chosen = [item for item in drawn if item["source"] == number]
        assert all(torch.equal(item["image"], images[int(item["index"])]) for item in chosen)
