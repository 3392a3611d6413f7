"""Who is in an image, which class they are of, and what may be left out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scenes import write_people

from Datasets.readers.coco import open_coco
from Datasets.scenes import ADULT_LABEL, CLASSES, INFANT_LABEL, label_of, scene_outlines, scenes_of
from Datasets.skeletons import INFANT
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError

CARER = ("adult", (20.0, 36.0), (12.0, 30.0))
BABY = ("infant", (70.0, 40.0), (18.0, 11.0))
STRANGER = ("", (88.0, 10.0), (4.0, 8.0))


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Dataset:
    root = tmp_path_factory.mktemp("people")
    return open_coco(write_people(root, "train", (CARER, BABY, STRANGER), (), (BABY,), (STRANGER,)))


@pytest.mark.parametrize(
    ("age", "name"),
    [
        ("infant", "infant"),
        ("toddler", "infant"),
        ("child", "adult"),
        ("adult", "adult"),
        ("elder", "adult"),
        ("", "adult"),
    ],
)
def test_who_is_not_known_to_be_an_infant_is_an_adult(age, name):
    assert CLASSES[label_of(age)] == name


def test_everybody_of_an_image_comes_together(people):
    scenes = {scene.image.image_id: scene for scene in scenes_of(people)}
    assert list(scenes) == [1, 3, 4, 2]
    assert scenes[1].labels.tolist() == [ADULT_LABEL, INFANT_LABEL, ADULT_LABEL]
    assert [scenes[i].main for i in (1, 2, 3, 4)] == [1, None, 0, 0]
    assert scenes[2].people == () and scenes[2].image.image_path.name == "000000000002.jpg"
    np.testing.assert_allclose(scenes[1].boxes(INFANT_LABEL), [[52, 29, 88, 51]])
    np.testing.assert_allclose(scenes[1].boxes(ADULT_LABEL)[:, 0], [8, 84])
    assert scenes[2].boxes(ADULT_LABEL).shape == (0, 4)


def test_outlines_are_cut_by_image(people, tmp_path):
    scenes = scenes_of(people)
    for cache in (None, tmp_path / "o.npz", tmp_path / "o.npz"):
        outlines = scene_outlines(scenes, cache)
        assert [len(o) for o in outlines] == [3, 1, 1, 0]
        low, high = outlines[0].min(axis=1), outlines[0].max(axis=1)
        given = [person.box_xyxy for person in scenes[0].people]
        np.testing.assert_allclose(np.concatenate([low, high], axis=1), given, atol=1e-4)


def test_frames_of_a_video_are_images_of_their_own():
    frames = [
        PoseSample.unlabelled(Path("a.mp4"), INFANT, video_frame=f, box_xyxy=np.arange(4.0))
        for f in (0, 0, 1)
    ]
    scenes = scenes_of(Dataset("made_up", Path(), INFANT, frames))
    assert [len(scene.people) for scene in scenes] == [2, 1]


def test_nobody_is_only_where_the_data_set_says_so(people):
    """A sample without any label is an error, not an empty image."""
    lost = PoseSample.unlabelled(people.samples[0].image_path, people.skeleton)
    scenes = scenes_of(dataclasses.replace(people, samples=(lost,), without_joints=()))
    with pytest.raises(DataError, match="neither mask"):
        scene_outlines(scenes)
