"""Canvases: the box follows the infant through every change, and evaluation is exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from scenes import write_scenes

from Datasets.geometry.boxes import box_from_mask, iou
from Datasets.loaders import Draw
from Datasets.readers.mini_rgbd import read_mini_rgbd
from FasterRCNN.images import (
    DetectorImages,
    DetectorTransforms,
    network_input,
    transform_boxes,
)
from FasterRCNN.targets import outlines_of
from FasterRCNN.train import quarter_turn

PLAIN = DetectorTransforms(
    background_share=0, occlusion_share=0, photometric_share=0, empty_share=0
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return read_mini_rgbd(write_scenes(tmp_path_factory.mktemp("data"), 1, 4))


def bright_box(image, padding):
    """Box of the infant as one sees it: all channels bright; the fill may be bright in one."""
    return box_from_mask((image.min(0).values > 125).numpy(), padding)


def test_box_follows_the_infant(dataset):
    images = DetectorImages(dataset, outlines_of(dataset)[0], 144, 0, PLAIN)
    checked = 0
    for draw in (Draw(r, i) for r in range(15) for i in range(4)):
        item = images[draw]
        if (item["image"][:, [0, 0, -1, -1], [0, -1, 0, -1]].min(0).values > 110).any():
            continue  # a bright fill beside the image hides the infant from this test
        seen = bright_box(item["image"], 5 * 144 / 480)
        assert iou(item["box"][None].numpy(), seen[None])[0, 0] > 0.9
        checked += 1
    assert checked > 20


def test_an_item_is_a_function_of_seed_round_and_index(dataset):
    outlines, _ = outlines_of(dataset)
    first, again = (DetectorImages(dataset, outlines, 72, 7)[Draw(3, 1)] for _ in range(2))
    assert torch.equal(first["image"], again["image"])
    other = DetectorImages(dataset, outlines, 72, 7)[Draw(4, 1)]
    assert not torch.equal(first["image"], other["image"])


def test_empty_canvases_have_no_box_and_no_infant(dataset):
    transforms = DetectorTransforms(empty_share=1, photometric_share=0)
    item = DetectorImages(dataset, outlines_of(dataset)[0], 72, 0, transforms)[Draw(0, 0)]
    assert item["box"].isnan().all()


def test_quarter_turn_moves_boxes_with_pixels():
    images = torch.zeros(1, 3, 20, 30)
    images[:, :, 4:9, 6:17] = 1
    boxes = torch.tensor([[6.0, 4, 16, 8]])
    turned, moved = quarter_turn(images, boxes)
    assert turned.shape == (1, 3, 30, 20)
    np.testing.assert_array_equal(moved[0], box_from_mask(turned[0, 0].numpy() > 0))


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1920, 1080), (90, 60), (2000, 100)])
def test_network_input_maps_boxes_back_exactly(size):
    picture, back = network_input(Image.new("RGB", size), 120, 320)
    height, width = picture.shape[1:]
    assert min(width, height) == 120 or max(width, height) == 320
    edges = transform_boxes(back, np.array([[-0.5, -0.5, width - 0.5, height - 0.5]]))
    np.testing.assert_allclose(edges, [[-0.5, -0.5, size[0] - 0.5, size[1] - 0.5]])
