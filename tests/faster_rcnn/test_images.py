"""Canvases: the box follows the infant through every change, and evaluation is exact."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image
from scenes import write_people, write_scenes

from Datasets.geometry.affine import translation
from Datasets.geometry.boxes import box_from_mask, iou
from Datasets.readers.coco import open_coco
from Datasets.readers.mini_rgbd import read_mini_rgbd
from Datasets.scenes import ADULT_LABEL, INFANT_LABEL, scene_outlines, scenes_of
from Datasets.transforms.settings import WholeImageTransforms
from Datasets.transforms.whole_images import boxes_on_canvas
from Engine.sampling import Draw
from FasterRCNN.candidates import Candidates
from FasterRCNN.images import DetectorImages, collate_training, network_input, outlined
from FasterRCNN.train import quarter_turn

PLAIN = WholeImageTransforms(
    background_share=0, occlusion_share=0, photometric_share=0, empty_share=0
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return read_mini_rgbd(write_scenes(tmp_path_factory.mktemp("data"), 1, 4))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """An infant and an adult, an infant alone, an adult alone, nobody."""
    carer = ("adult", (14.0, 36.0), (12.0, 30.0))
    baby = ("infant", (70.0, 40.0), (18.0, 11.0))
    root = tmp_path_factory.mktemp("people")
    return open_coco(write_people(root, "train", (carer, baby), (baby,), (carer,), ()))


def canvases(dataset, height, seed=0, transforms=PLAIN):
    scenes = scenes_of(dataset)
    return DetectorImages(scenes, scene_outlines(scenes), height, seed, transforms)


def bright_box(image, padding):
    """Box of the infant as one sees it: all channels bright; the fill may be bright in one."""
    return box_from_mask((image.min(0).values > 125).numpy(), padding)


def test_box_follows_the_infant(dataset):
    images = canvases(dataset, 144)
    checked = 0
    for draw in (Draw(r, i) for r in range(15) for i in range(4)):
        item = images[draw]
        if (item["image"][:, [0, 0, -1, -1], [0, -1, 0, -1]].min(0).values > 110).any():
            continue  # a bright fill beside the image hides the infant from this test
        seen = bright_box(item["image"], 5 * 144 / 480)
        assert item["labels"].tolist() == [INFANT_LABEL]
        assert iou(item["boxes"].numpy(), seen[None])[0, 0] > 0.9
        checked += 1
    assert checked > 20


def test_boxes_follow_infant_and_adult_and_the_infant_stays(people):
    images = canvases(people, 144, transforms=dataclasses.replace(PLAIN, shift=0.6))
    together = 0
    for number in range(60):
        item = images[Draw(number, 0)]
        blue = (item["image"][2] > 125) & (item["image"][0] < 100)
        labels = item["labels"].tolist()
        assert labels.count(INFANT_LABEL) == 1
        if ADULT_LABEL in labels:
            (box,) = item["boxes"][item["labels"] == ADULT_LABEL].numpy()
            assert (box[2:] - box[:2] >= 4).all()
            rows, columns = np.nonzero(blue.numpy())
            inside = (columns >= box[0] - 1) & (columns <= box[2] + 1)
            inside &= (rows >= box[1] - 1) & (rows <= box[3] + 1)
            together += inside.mean() > 0.95
    assert 10 < together < 60


def test_who_is_mostly_outside_the_canvas_is_left_out(people):
    images = canvases(people, 72)
    scene, outlines = images.scenes[0], images.outlines[0]
    width = outlines[0][:, 0].max() - outlines[0][:, 0].min()
    for share, seen in ((0.45, True), (0.55, False)):
        left = translation(-outlines[0][:, 0].min() - share * width, 0)
        boxes, labelled = boxes_on_canvas(left, outlined(scene, outlines), images.size)
        assert labelled.tolist() == [seen, True]
        assert boxes[0, 0] == 0


def test_zooming_out_leaves_the_main_person_in_sight(tmp_path):
    """Twice 24 pixels are 48 on the canvas: at half that they would be below 32."""
    data = open_coco(write_people(tmp_path, "train", (("infant", (40.0, 30.0), (12.0, 12.0)),)))
    images = canvases(data, 144, transforms=dataclasses.replace(PLAIN, shift=0.0))
    boxes = np.concatenate([images[Draw(number, 0)]["boxes"] for number in range(60)])
    lengths = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    assert 31.9 < lengths.min() < 36 and lengths.max() > 48


def test_given_boxes_are_kept_and_those_of_masks_grow(people, dataset):
    still = np.eye(3)
    for data, padding in ((people, 0.0), (dataset, 5 * 72 / 480)):
        images = canvases(data, 72)
        points = images.outlines[0]
        boxes, _ = boxes_on_canvas(still, outlined(images.scenes[0], points), images.size)
        np.testing.assert_allclose(boxes[:, :2], points.min(axis=1) - padding, atol=1e-9)
        np.testing.assert_allclose(boxes[:, 2:], points.max(axis=1) + padding, atol=1e-9)


def test_only_a_person_alone_gets_another_background(dataset):
    first, second = dataset.samples[:2]
    twin = dataclasses.replace(second, image_path=first.image_path)
    for samples, same in (((first, twin), True), ((first,), False)):
        data = dataclasses.replace(dataset, samples=samples)
        kept, laid = (
            canvases(data, 72, transforms=dataclasses.replace(PLAIN, background_share=share))
            for share in (0, 1)
        )
        assert torch.equal(kept[Draw(0, 0)]["image"], laid[Draw(0, 0)]["image"]) == same


def test_an_item_is_a_function_of_seed_round_and_index(dataset):
    varied = WholeImageTransforms()
    first, again = (canvases(dataset, 72, 7, varied)[Draw(3, 1)] for _ in range(2))
    assert torch.equal(first["image"], again["image"])
    other = canvases(dataset, 72, 7, varied)[Draw(4, 1)]
    assert not torch.equal(first["image"], other["image"])


def test_empty_canvases_have_no_box_and_everybody_is_covered(people):
    full = canvases(people, 72)
    emptied = canvases(people, 72, transforms=dataclasses.replace(PLAIN, empty_share=1))
    for draw in (Draw(number, 0) for number in range(12)):
        before, after = full[draw], emptied[draw]
        assert after["boxes"].shape == (0, 4) and after["labels"].shape == (0,)
        changed = (before["image"] != after["image"]).any(0)
        for x1, y1, x2, y2 in before["boxes"].int():
            assert changed[y1 : y2 + 1, x1 : x2 + 1].float().mean() > 0.95


def test_an_image_of_nobody_is_a_canvas_without_boxes(people):
    images = canvases(people, 72, transforms=WholeImageTransforms())
    nobody = next(i for i, scene in enumerate(images.scenes) if not scene.people)
    for number in range(20):
        item = images[Draw(number, nobody)]
        assert item["image"].shape == (3, 72, 96) and item["boxes"].shape == (0, 4)


def test_a_batch_keeps_each_images_own_boxes(people):
    images = canvases(people, 144)
    items = [images[Draw(0, i)] for i in range(4)]
    batch = collate_training(items)
    assert batch["image"].shape == (4, 3, 144, 192)
    assert [len(target["labels"]) for target in batch["targets"]] == [2, 1, 1, 0]
    assert torch.equal(batch["targets"][0]["boxes"], items[0]["boxes"])


def test_quarter_turn_moves_boxes_with_pixels():
    images = torch.zeros(2, 3, 20, 30)
    images[0, :, 4:9, 6:17] = 1
    targets = [{"boxes": torch.tensor([[6.0, 4, 16, 8]])}, {"boxes": torch.zeros(0, 4)}]
    turned, moved = quarter_turn(images, targets)
    assert turned.shape == (2, 3, 30, 20)
    np.testing.assert_array_equal(moved[0]["boxes"][0], box_from_mask(turned[0, 0].numpy() > 0))
    assert moved[1]["boxes"].shape == (0, 4)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1920, 1080), (90, 60), (2000, 100)])
def test_network_input_maps_boxes_back_exactly(size):
    height, width = network_input(Image.new("RGB", size), 120, 320).shape[1:]
    assert min(width, height) == 120 or max(width, height) == 320
    # edges lie half a pixel beyond the centres of the outermost pixels; boxes end at these
    whole = torch.tensor([[-0.5, -0.5, width - 0.5, height - 0.5], [-0.5, -0.5, 0.5, 0.5]])
    found = Candidates(whole.double(), torch.ones(2), torch.ones(2))
    boxes = found.scaled((width, height), size).boxes_xyxy
    np.testing.assert_allclose(boxes[0], [0, 0, size[0] - 1, size[1] - 1])
    np.testing.assert_allclose(boxes[1, 2:], np.divide(size, (width, height)) - 0.5)
