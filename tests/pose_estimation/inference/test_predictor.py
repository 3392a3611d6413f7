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
from Datasets.structures import Frame
from Engine.backends import TorchBackend
from Engine.errors import DataError
from FasterRCNN.detector import Detections
from PoseEstimation.codecs.heatmap import HeatmapCodec
from PoseEstimation.codecs.rays import RayCodec
from PoseEstimation.inference.lifting import ClipLifting
from PoseEstimation.inference.predictor import Predictor
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.inference.top_down import (
    KeypointNetwork,
    TopDown,
    flip_averaged,
    quarter_turns,
)
from PoseEstimation.inference.weight_sets import WeightSet, find_weights, is_indexed
from PoseEstimation.inference.weights import load_keypoint_network
from PoseEstimation.models.clip_lifter import ClipLifter, ClipLifterConfig
from PoseEstimation.structures import Keypoints, Lifted, Maps, Track

FLOAT = PredictSettings(device="cpu", precision="float32")
JOINTS = len(INFANT)


def brightest_pixel(images: np.ndarray) -> dict[str, np.ndarray]:
    """Stands in for the 2D network: every joint's density is the image's brightness."""
    count, _, height, width = images.shape
    cells = images.mean(1).reshape(count, height // 4, 4, width // 4, 4).mean((2, 4)) / 255
    maps = np.log(np.maximum(cells, 1e-3)).astype(np.float32)
    return {"heatmaps": np.repeat(maps[:, None], JOINTS, axis=1)}


class Noise:
    """Stands in for a 2D network that is neither symmetric nor rotation invariant."""

    def __init__(self, outputs: int = JOINTS, side: int = 4) -> None:
        self.weights = np.random.default_rng(0).normal(size=(outputs, 3, side, side))

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        count, _, height, width = images.shape
        side = self.weights.shape[-1]
        cells = images.reshape(count, 3, height // side, side, width // side, side) / 255
        return {"heatmaps": np.einsum("bcisjt,ocst->boij", cells, self.weights)}


class TwoBoxes:
    """Stands in for the detector: one infant in each half of a wide image."""

    def detect(self, images):
        return [self.one(image) for image in images]

    def one(self, image):
        half, height = image.width / 2, image.height
        boxes = np.array([[0.0, 0, half, height], [half, 0, 2 * half, height]])
        return Detections(boxes, np.array([0.9, 0.8]))


NETWORK = KeypointNetwork(brightest_pixel, HeatmapCodec(input_size=128, heatmap_size=32), INFANT)


def lifting(skeleton=INFANT) -> ClipLifting:
    torch.manual_seed(0)
    bones = skeleton.bone_indices
    twins = tuple(range(len(bones)))
    config = ClipLifterConfig(
        num_joints=len(skeleton), root_index=skeleton.root_index, bones=bones, twins=twins, width=16
    )
    backend = TorchBackend(ClipLifter(config), outputs=Lifted._fields)
    return ClipLifting(backend, RayCodec(skeleton))


def made(network=NETWORK, settings=FLOAT, detector=None, lifter=None) -> Predictor:
    finder = TopDown(detector or TwoBoxes(), network, settings)
    return Predictor(finder, lifter or lifting(), settings)


def photo(image: Image.Image, boxes=None, still: bool = True, index: int = 0) -> Frame:
    return Frame("photo", index, index / 30, image, boxes_xyxy=boxes, still=still)


@pytest.fixture(scope="module")
def stub() -> Predictor:
    return made()


def dots(*centres: tuple[float, float], size=(400, 200)) -> Image.Image:
    """Black image with soft white dots."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    image = sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 12.0**2)) for a, b in centres)
    return Image.fromarray(np.uint8(255 * np.clip(image, 0, 1))).convert("RGB")


@pytest.mark.parametrize("flip", [True, False])
def test_a_dot_is_found_where_it_is(flip):
    predictor = made(settings=replace(FLOAT, flip_test=flip))
    for centre in ((71.3, 90.8), (120.0, 40.5)):
        frame = photo(dots(centre), np.array([[10.0, 5, 190, 195]]), still=False)
        (result,) = predictor.run([frame], boxes="true")
        assert np.abs(result.infants[0].keypoints_px - centre).max() < 0.5


def test_flip_test_is_symmetric_under_mirroring():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), np.uint8)
    flip = list(INFANT.flip_indices)
    direct = flip_averaged(Noise(), images, flip)["heatmaps"]
    mirrored = flip_averaged(Noise(), images[..., ::-1], flip)["heatmaps"]
    assert np.allclose(mirrored[..., ::-1][:, flip], direct, atol=1e-5)
    assert not np.allclose(Noise()(images)["heatmaps"], direct, atol=1e-2)


def test_turn_test_turns_with_the_picture():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), np.uint8)
    upright = quarter_turns(Noise(), images)
    turned = quarter_turns(Noise(), np.rot90(images, 1, (-2, -1)))
    for i in range(4):
        back = np.rot90(turned[i]["heatmaps"], -1, (-2, -1))
        assert np.allclose(back, upright[(i + 1) % 4]["heatmaps"], atol=1e-5)
    assert np.array_equal(Noise()(images)["heatmaps"], upright[0]["heatmaps"])
    assert not np.allclose(upright[1]["heatmaps"], upright[0]["heatmaps"], atol=1e-2)


def test_the_best_turn_is_the_one_with_the_highest_scores():
    """A network that is blind on the right: a dot there is found once the crop is turned."""

    def left_half(images):
        maps = brightest_pixel(images)["heatmaps"].copy()
        maps[..., maps.shape[-1] // 2 :] = maps.min()
        return {"heatmaps": maps}

    network = replace(NETWORK, backend=left_half)
    image, box = dots((150, 60)), np.array([[10.0, 5, 190, 195]])
    for settings, error in ((FLOAT, (30, 200)), (replace(FLOAT, turns="best"), (0, 0.5))):
        settings = replace(settings, flip_test=False, turn_test=error[1] < 1)
        (result,) = made(network, settings).run([photo(image, box)], boxes="true")
        off = np.abs(result.infants[0].keypoints_px - (150, 60)).max()
        assert error[0] <= off <= error[1]


def test_photos_are_turned_and_videos_are_not():
    network = replace(NETWORK, backend=Noise())
    image, box = dots((71, 90), (120, 40)), np.array([[10.0, 5, 190, 195]])

    def points(predictor: Predictor, still: bool) -> np.ndarray:
        (result,) = predictor.run([photo(image, box, still)], boxes="true")
        return result.infants[0].keypoints_px

    turning, spared = made(network), made(network, replace(FLOAT, turn_test=False))
    assert not np.allclose(points(turning, True), points(turning, False), atol=1)
    assert np.allclose(points(spared, True), points(turning, False))


def test_every_infant_gets_its_own_joints(stub):
    (result,) = stub.run([photo(dots((100, 100), (310, 60)))])
    first, second = result.infants
    assert result.adults is None
    assert np.allclose(first.keypoints_px, (100, 100), atol=1)
    assert np.allclose(second.keypoints_px, (310, 60), atol=1)
    assert (first.track_id, second.track_id) == (1, 2)
    assert first.joints_mm.shape == (JOINTS, 3) and first.sigma_mm.shape == (JOINTS,)
    assert np.allclose(first.joints_mm[INFANT.root_index], 0)


def test_adults_have_boxes_and_no_joints():
    class Carer(TwoBoxes):
        def one(self, image):
            scores = np.array([0.7])
            return replace(super().one(image), adults_xyxy=np.eye(1, 4), adult_scores=scores)

    (result,) = made(detector=Carer()).run([photo(dots((100, 100)))])
    (adult,) = result.adults
    assert len(result.infants) == 2
    assert adult.box_xyxy.tolist() == [1, 0, 0, 0] and adult.box_score == 0.7


@pytest.mark.parametrize("still", [True, False])
def test_batches_give_what_single_frames_give(still):
    # no dot lies halfway between two cells of a heatmap, where rounding chooses the brighter one
    images = [dots((53.3 + 19 * i, 81.7), (303.3, 52.9 + 11 * i)) for i in range(5)]
    frames = [photo(image, still=still, index=i) for i, image in enumerate(images)]
    together = list(made().run(frames))
    alone = list(made(settings=replace(FLOAT, batch_size=1)).run(frames))
    assert [r.index for r in together] == list(range(5))
    for a, b in zip(together, alone, strict=True):
        assert len(a.infants) == len(b.infants) == 2
        for x, y in zip(a.infants, b.infants, strict=True):
            assert np.allclose(x.keypoints_px, y.keypoints_px, atol=1e-2)
            assert np.allclose(x.joints_mm, y.joints_mm, atol=1)
            assert np.array_equal(x.box_xyxy, y.box_xyxy)


def test_given_boxes_spare_the_detector():
    class Unasked(TwoBoxes):
        def detect(self, images):
            raise AssertionError("not to be asked")

    box = np.array([[10.0, 5, 190, 195]])
    (result,) = made(detector=Unasked()).run([photo(dots((71, 90)), box)], boxes="true")
    assert result.infants[0].box_xyxy.tolist() == box[0].tolist()
    (missing,) = made(detector=Unasked()).run([photo(dots((71, 90)))], boxes="true")
    assert missing.infants == () and "boxes" in missing.error


def test_a_finder_alone_leaves_poses_in_2d():
    predictor = Predictor(TopDown(TwoBoxes(), NETWORK, FLOAT), settings=FLOAT)
    (result,) = predictor.run([photo(dots((100, 100), (310, 60)))])
    assert np.isfinite(result.infants[0].keypoints_px).all()
    assert np.isnan(result.infants[0].joints_mm).all()
    with pytest.raises(DataError, match="lifter"):
        predictor.lift(Track(Keypoints.exact(np.zeros((1, JOINTS, 2))), np.eye(3)))


def test_a_result_in_memory_has_people_by_track(stub):
    result = stub(dots((100, 100), (310, 60)))
    assert result.track_ids == (1, 2) and result.joints_mm.shape == (1, 2, JOINTS, 3)
    second = result.frames[0].infants[1].joints_mm
    assert np.array_equal(result.joints_mm[0, 1], second)
    assert result.quality["frames_with_infant"] == 1 and result.complete


def test_each_frame_of_a_track_has_its_own_camera(stub):
    """A video that changes its size midway: the same rays in other pixels are the same pose."""
    points = np.random.default_rng(0).uniform(50, 150, (6, JOINTS, 2))
    cameras = np.stack([intrinsics_from_fov((640, 480), 60)] * 6)
    scaled, larger = points.copy(), cameras.copy()
    scaled[3:] = 2 * points[3:] + 0.5
    larger[3:] = intrinsics_from_fov((1280, 960), 60)
    times_s = np.arange(6) / 30
    expected, _ = stub.lift(Track(Keypoints.exact(points), cameras, times_s))
    joints_mm, _ = stub.lift(Track(Keypoints.exact(scaled), larger, times_s))
    assert np.allclose(joints_mm, expected, atol=1e-2)
    one_camera, _ = stub.lift(Track(Keypoints.exact(scaled), cameras[0], times_s))
    assert np.abs(one_camera - expected).max() > 1


def test_lifting_is_the_same_for_many_and_for_one(stub):
    points = np.random.default_rng(0).uniform(0, 200, (3, JOINTS, 2))
    found = Keypoints.exact(points)
    matrix = intrinsics_from_fov((400, 200), 60)
    together, sigma = stub.lift(Track(found, matrix))
    for i in range(3):
        alone, own = stub.lift(Track(found[i : i + 1], matrix))
        assert np.allclose(alone[0], together[i], atol=1e-2)
        assert np.allclose(own[0], sigma[i])


def test_no_infant_is_an_empty_answer(stub):
    (result,) = stub.run([photo(dots((1, 1)), np.zeros((0, 4)))], boxes="true")
    assert result.infants == () and result.error is None
    empty = Keypoints.exact(np.zeros((0, JOINTS, 2)))
    joints, sigma = stub.lift(Track(empty, np.eye(3)))
    assert joints.shape == (0, JOINTS, 3) and sigma.shape == (0, JOINTS)


def test_networks_of_two_skeletons_are_refused():
    with pytest.raises(DataError, match=r"infant.*mpii_16"):
        made(lifter=lifting(MPII_16))


def test_weights_are_loaded_and_named(tiny_weights):
    folder = find_weights(tiny_weights, "tiny")
    predictor = Predictor.from_weights(folder, settings=FLOAT)
    assert is_indexed(folder)
    assert predictor.model_info["name"] == "tiny"
    assert len(predictor.model_info["config_sha256"]) == 64
    assert set(predictor.model_info["sha256"]) == {
        *("detector.safetensors", "heatmap.safetensors", "lifter.safetensors"),
    }
    result = predictor(dots((60, 60), size=(96, 96)))
    assert result.joints_mm.size and np.isfinite(result.joints_mm).all()


class Brightness(torch.nn.Module):
    """A 2D network of one convolution, which autocast computes in bf16: density is brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.nn.Conv2d(3, JOINTS, 4, 4, bias=False)
        torch.nn.init.constant_(self.mean.weight, 1 / 48)

    def forward(self, images: torch.Tensor) -> Maps:
        return Maps(self.mean(images).clamp_min(1e-3).log())


def test_bf16_keeps_the_joints():
    image, box = dots((71.3, 90.8)), np.array([[10.0, 5, 190, 195]])
    found = []
    for bf16 in (True, False):
        backend = TorchBackend(Brightness(), "cpu", bf16=bf16)
        (result,) = made(replace(NETWORK, backend=backend)).run([photo(image, box)], boxes="true")
        found.append(result.infants[0])
    low, exact = found
    assert np.abs(low.keypoints_px - exact.keypoints_px).max() < 0.5
    assert np.abs(exact.keypoints_px - (71.3, 90.8)).max() < 0.5
    assert not np.array_equal(low.keypoints_px, exact.keypoints_px)
    assert np.allclose(low.keypoint_scores, exact.keypoint_scores, atol=0.05)


@pytest.mark.parametrize(("precision", "bf16"), [("bf16", True), ("float32", False)])
def test_the_setting_of_precision_reaches_the_network(tiny_weights, precision, bf16):
    settings = PredictSettings(device="cpu", precision=precision)
    network = load_keypoint_network(tiny_weights / "tiny" / "heatmap.safetensors", settings)
    assert network.backend._bf16 is bf16


def copy(tiny_weights, tmp_path):
    shutil.copytree(tiny_weights, tmp_path / "models")
    return tmp_path / "models" / "tiny"


def test_another_sha256_is_refused(tiny_weights, tmp_path):
    folder = copy(tiny_weights, tmp_path)
    data = bytearray((folder / "lifter.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "lifter.safetensors").write_bytes(data)
    with pytest.raises(DataError, match=r"lifter\.safetensors has sha256"):
        Predictor.from_weights(folder, settings=FLOAT)


def test_pickle_and_swapped_files_are_refused(tiny_weights, tmp_path):
    folder = copy(tiny_weights, tmp_path)
    (folder.parent / "index.yaml").unlink()
    assert not is_indexed(folder)
    shutil.copy(folder / "lifter.safetensors", folder / "heatmap.safetensors")
    with pytest.raises(DataError, match="ClipLifter, not PoseResNet"):
        Predictor.from_weights(folder, settings=FLOAT)
    torch.save({"weight": torch.zeros(3)}, folder / "heatmap.safetensors")
    with pytest.raises(DataError, match="pickle"):
        Predictor.from_weights(folder, settings=FLOAT)
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
