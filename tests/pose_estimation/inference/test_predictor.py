"""The chain of networks: geometry of flips and crops, batches, several infants, weight files."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from Datasets.geometry.camera import intrinsics_from_fov
from Datasets.skeletons import INFANT, MPII_16
from Engine.errors import DataError
from FasterRCNN.detector import Detections
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.flip_test import flip_averaged, turn_averaged
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.inference.predictor import PosePipeline
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import HeatmapStage
from PoseEstimation.inference.weight_sets import WeightSet, find_weights, is_indexed
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.structures import Keypoints

FLOAT = PredictSettings(device="cpu", precision="float32")
JOINTS = len(INFANT)


class BrightestPixel(torch.nn.Module):
    """Stands in for the 2D network: every joint's density is the image's brightness."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = torch.nn.functional.avg_pool2d(images.mean(1, keepdim=True), 4)
        return maps.clamp_min(1e-3).log().repeat(1, JOINTS, 1, 1)[:, None]


class TwoBoxes:
    """Stands in for the detector: one infant in each half of a wide image."""

    def detect(self, images):
        return [self(image) for image in images]

    def __call__(self, image):
        half, height = image.width / 2, image.height
        boxes = np.array([[0.0, 0, half, height], [half, 0, 2 * half, height]])
        return Detections(boxes, np.array([0.9, 0.8]))


HEATMAP = HeatmapStage(BrightestPixel(), HeatmapCodec(input_size=128, heatmap_size=32), INFANT)


def lifting(skeleton=INFANT) -> ClipLifting:
    torch.manual_seed(0)
    bones = skeleton.bone_indices
    twins = tuple(range(len(bones)))
    config = ClipLifterConfig(
        num_joints=len(skeleton), root_index=skeleton.root_index, bones=bones, twins=twins, width=16
    )
    return ClipLifting(ClipLifter(config), RayCodec(skeleton))


@pytest.fixture(scope="module")
def stub() -> PosePipeline:
    return PosePipeline(TwoBoxes(), HEATMAP, lifting(), settings=FLOAT)


def dots(*centres: tuple[float, float], size=(400, 200)) -> Image.Image:
    """Black image with soft white dots."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    image = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 12.0**2)) for a, b in centres)
    return Image.fromarray(np.uint8(255 * np.clip(image, 0, 1))).convert("RGB")


@pytest.mark.parametrize("flip", [True, False])
def test_a_dot_is_found_where_it_is(flip):
    settings = PredictSettings(device="cpu", precision="float32", flip_test=flip)
    stub = PosePipeline(TwoBoxes(), HEATMAP, lifting(), settings=settings)
    for centre in ((71.3, 90.8), (120.0, 40.5)):
        found = stub.estimate_2d(dots(centre), np.array([[10.0, 5, 190, 195]]))
        assert np.abs(found.keypoints_px[0] - centre).max() < 0.5


def test_flip_test_is_symmetric_under_mirroring():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(3, 3 * JOINTS, 4, 4)
    network = torch.nn.Sequential(layer, torch.nn.Unflatten(1, (3, JOINTS)))
    images = torch.rand(2, 3, 32, 32)
    flip = list(INFANT.flip_indices)
    direct = flip_averaged(network, images, flip)
    mirrored = flip_averaged(network, images.flip(-1), flip)
    assert torch.allclose(mirrored.flip(-1)[:, :, flip], direct, atol=1e-5)


def test_turn_test_turns_with_the_picture():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 4, 4), torch.nn.Unflatten(1, (2, 3)))
    images = torch.rand(2, 3, 32, 32)
    upright = turn_averaged(network, images)
    turned = turn_averaged(network, images.rot90(1, (-2, -1)))
    assert torch.allclose(turned.rot90(-1, (-2, -1)), upright, atol=1e-5)
    assert not torch.allclose(network(images), upright, atol=1e-2)


def test_photos_are_turned_and_videos_are_not(monkeypatch):
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(3, JOINTS, 4, 4), torch.nn.Unflatten(1, (1, JOINTS))
    stage = replace(HEATMAP, network=torch.nn.Sequential(*layers))
    noisy = PosePipeline(TwoBoxes(), stage, lifting(), settings=FLOAT)
    image, box = dots((71, 90), (120, 40)), np.array([[10.0, 5, 190, 195]])
    photo, frame = (noisy.estimate_2d(image, box, still=still) for still in (True, False))
    assert not np.allclose(photo.keypoints_px, frame.keypoints_px, atol=1)
    spared = PosePipeline(TwoBoxes(), stage, lifting(), settings=replace(FLOAT, turn_test=False))
    same = spared.estimate_2d(image, box, still=True)
    assert np.allclose(same.keypoints_px, frame.keypoints_px)


def test_every_infant_gets_its_own_joints(stub):
    image = dots((100, 100), (310, 60))
    matrix = intrinsics_from_fov(image.size, 60)
    (people,) = stub.observe([image])
    first, second = stub.lift_poses(people.infants, np.stack([matrix, matrix]))
    assert people.adults is None and np.isnan(people.infants[0].joints_mm).all()
    assert np.allclose(first.keypoints_px, (100, 100), atol=1)
    assert np.allclose(second.keypoints_px, (310, 60), atol=1)
    assert (first.track_id, second.track_id) == (1, 2)
    assert first.joints_mm.shape == (JOINTS, 3) and first.sigma_mm.shape == (JOINTS,)
    assert np.allclose(first.joints_mm[INFANT.root_index], 0)


def test_adults_are_told_and_get_no_joints():
    class Carer(TwoBoxes):
        def __call__(self, image):
            scores = np.array([0.7])
            return replace(super().__call__(image), adults_xyxy=np.eye(1, 4), adult_scores=scores)

    pipeline = PosePipeline(Carer(), HEATMAP, lifting(), settings=FLOAT)
    (people,) = pipeline.observe([dots((100, 100))])
    (adult,) = people.adults
    assert len(people.infants) == 2
    assert adult.box_xyxy.tolist() == [1, 0, 0, 0] and adult.box_score == 0.7


@pytest.mark.parametrize("still", [True, False])
def test_batches_give_what_single_frames_give(stub, still):
    # no dot lies halfway between two cells of a heatmap, where rounding chooses the brighter one
    images = [dots((53.3 + 19 * i, 81.7), (303.3, 52.9 + 11 * i)) for i in range(5)]
    together = stub.observe(images, still)
    alone = [stub.observe([image], still)[0] for image in images]
    for a, b in zip(together, alone, strict=True):
        for x, y in zip(a.infants, b.infants, strict=True):
            assert np.allclose(x.keypoints_px, y.keypoints_px, atol=1e-2)
            assert np.array_equal(x.box_xyxy, y.box_xyxy)


def test_each_frame_of_a_track_has_its_own_camera(stub):
    """A video that changes its size midway: the same rays in other pixels are the same pose."""
    points = np.random.default_rng(0).uniform(50, 150, (6, JOINTS, 2))
    cameras = np.stack([intrinsics_from_fov((640, 480), 60)] * 6)
    scaled, larger = points.copy(), cameras.copy()
    scaled[3:] = 2 * points[3:] + 0.5
    larger[3:] = intrinsics_from_fov((1280, 960), 60)
    times_s = np.arange(6) / 30
    expected, _ = stub.lift(Keypoints.exact(points), cameras, times_s)
    joints_mm, _ = stub.lift(Keypoints.exact(scaled), larger, times_s)
    assert np.allclose(joints_mm, expected, atol=1e-2)
    one_camera, _ = stub.lift(Keypoints.exact(scaled), cameras[0], times_s)
    assert np.abs(one_camera - expected).max() > 1


def test_lifting_is_the_same_for_many_and_for_one(stub):
    points = np.random.default_rng(0).uniform(0, 200, (3, JOINTS, 2))
    found = Keypoints.exact(points)
    matrix = intrinsics_from_fov((400, 200), 60)
    together, sigma = stub.lift(found, matrix)
    for i in range(3):
        alone, own = stub.lift(found[i : i + 1], matrix)
        assert np.allclose(alone[0], together[i], atol=1e-2)
        assert np.allclose(own[0], sigma[i])


def test_no_infant_is_an_empty_answer(stub):
    empty = stub.estimate_2d(dots((1, 1)), np.zeros((0, 4)))
    assert empty.keypoints_px.shape == (0, JOINTS, 2)
    joints, sigma = stub.lift(empty, np.eye(3))
    assert joints.shape == (0, JOINTS, 3) and sigma.shape == (0, JOINTS)


def test_networks_of_two_skeletons_are_refused():
    with pytest.raises(DataError, match=r"infant.*mpii_16"):
        PosePipeline(TwoBoxes(), HEATMAP, lifting(MPII_16), settings=FLOAT)


def test_weights_are_loaded_and_named(tiny_weights):
    folder = find_weights(tiny_weights, "tiny")
    pipeline = PosePipeline.from_weights(folder, settings=FLOAT)
    assert is_indexed(folder)
    assert pipeline.model_info["name"] == "tiny"
    assert len(pipeline.model_info["config_sha256"]) == 64
    assert set(pipeline.model_info["sha256"]) == {
        *("detector.safetensors", "heatmap.safetensors", "lifter.safetensors"),
    }
    infants = pipeline(dots((60, 60), size=(96, 96)))
    assert infants and np.isfinite(infants[0].joints_mm).all()


def test_bf16_keeps_the_joints(tiny_weights):
    folder, box = tiny_weights / "tiny", np.array([[0.0, 0, 95, 95]])
    image = dots((60, 30), size=(96, 96))
    found = [
        PosePipeline.from_weights(folder, settings=PredictSettings(device="cpu", precision=p))
        .estimate_2d(image, box)
        .scores
        for p in ("bf16", "float32")
    ]
    assert np.allclose(*found, atol=0.05)


def copy(tiny_weights, tmp_path):
    shutil.copytree(tiny_weights, tmp_path / "models")
    return tmp_path / "models" / "tiny"


def test_another_sha256_is_refused(tiny_weights, tmp_path):
    folder = copy(tiny_weights, tmp_path)
    data = bytearray((folder / "lifter.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "lifter.safetensors").write_bytes(data)
    with pytest.raises(DataError, match=r"lifter\.safetensors has sha256"):
        PosePipeline.from_weights(folder, settings=FLOAT)


def test_pickle_and_swapped_files_are_refused(tiny_weights, tmp_path):
    folder = copy(tiny_weights, tmp_path)
    (folder.parent / "index.yaml").unlink()
    assert not is_indexed(folder)
    shutil.copy(folder / "lifter.safetensors", folder / "heatmap.safetensors")
    with pytest.raises(DataError, match="ClipLifter, not PoseResNet"):
        PosePipeline.from_weights(folder, settings=FLOAT)
    torch.save({"weight": torch.zeros(3)}, folder / "heatmap.safetensors")
    with pytest.raises(DataError, match="pickle"):
        PosePipeline.from_weights(folder, settings=FLOAT)
    (folder / "heatmap.safetensors").unlink()
    with pytest.raises(DataError, match="does not exist"):
        WeightSet.open(folder).digests()


def test_a_broken_index_is_refused(tiny_weights, tmp_path):
    folder = copy(tiny_weights, tmp_path)
    (folder.parent / "index.yaml").write_text(yaml.safe_dump(["tiny"]))
    with pytest.raises(DataError, match=r"index\.yaml"):
        WeightSet.open(folder).digests()


def test_unknown_set_names_what_is_there(tiny_weights):
    with pytest.raises(DataError, match="sets there: tiny"):
        find_weights(tiny_weights, "other")
