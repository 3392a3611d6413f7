"""Skeleton values and the correspondences between them."""

from __future__ import annotations

import numpy as np
import pytest

from Datasets.skeletons import COCO_17, INFANT, LSP_14, MINI_RGBD_25, MPII_16, SKELETONS, Skeleton
from Datasets.skeletons.convert import MAPS, joint_map
from Datasets.skeletons.mini_rgbd import PUBLISHED_16

PUBLISHED_INDICES = [8, 5, 2, 1, 4, 7, 0, 9, 12, 24, 21, 19, 17, 16, 18, 20]
"""The published protocol's positions in the 25 joints, in MPII order."""


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)
def test_flip_is_its_own_inverse_and_swaps_sides(skeleton: Skeleton) -> None:
    order = skeleton.flip_indices
    assert [order[i] for i in order] == list(range(len(skeleton)))
    for i, joint in enumerate(skeleton.joints):
        other = skeleton.joints[order[i]]
        swapped = joint.replace("left", "#").replace("right", "left").replace("#", "right")
        assert other == swapped


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=lambda s: s.name)
def test_mirror_maps_bones_to_bones(skeleton: Skeleton) -> None:
    bones = {frozenset(bone) for bone in skeleton.bone_indices}
    order = skeleton.flip_indices
    assert {frozenset(order[i] for i in bone) for bone in bones} == bones
    assert len(bones) == len(skeleton.bones)


@pytest.mark.parametrize("skeleton", [INFANT, MINI_RGBD_25], ids=lambda s: s.name)
def test_every_joint_hangs_on_the_root(skeleton: Skeleton) -> None:
    reached = {skeleton.root}
    for _ in skeleton.joints:
        reached |= {b for a, b in skeleton.bones if a in reached}
        reached |= {a for a, b in skeleton.bones if b in reached}
    assert reached == set(skeleton.joints)


def test_official_order_at_well_known_places() -> None:
    assert MINI_RGBD_25.joints[0] == "pelvis" and MINI_RGBD_25.joints[24] == "nose"
    assert MINI_RGBD_25.indices(MINI_RGBD_25.head_segment) == [12, 15]
    assert COCO_17.joints[5:7] == ("left_shoulder", "right_shoulder")
    assert MPII_16.joints[0] == "right_ankle" and MPII_16.joints[9] == "head_top"
    assert LSP_14.joints[12:] == ("neck", "head_top")


def test_sides() -> None:
    assert INFANT.side("left_toes") == "left"
    assert INFANT.side("right_ear") == "right"
    assert INFANT.side("pelvis") == "middle"


@pytest.mark.parametrize(
    "change",
    [
        {"bones": (("a", "z"),)},
        {"root": "z"},
        {"joints": ("a", "a")},
        {"sigmas": (0.1,)},
        {"head_segment": ("a", "z")},
        {"joints": ("a", "left_b"), "bones": ()},
    ],
)
def test_a_wrong_skeleton_is_refused(change: dict) -> None:
    good = {
        "name": "two",
        "joints": ("a", "b"),
        "bones": (("a", "b"),),
        "root": "a",
        "head_segment": None,
        "sigmas": (0.1, 0.1),
    }
    Skeleton(**good)
    with pytest.raises(ValueError, match="two"):
        Skeleton(**{**good, **change})


def test_unknown_joint_is_named_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no joint 'tail'.*left_wrist"):
        INFANT.index("tail")


def test_published_mapping_equals_the_published_indices() -> None:
    assert MINI_RGBD_25.indices(PUBLISHED_16) == PUBLISHED_INDICES
    targets, sources = joint_map(MINI_RGBD_25, MPII_16).index_lists
    assert targets == list(range(16)) and sources == PUBLISHED_INDICES
    values = np.arange(25.0)[:, None]
    assert joint_map(MINI_RGBD_25, MPII_16).apply(values)[:, 0].tolist() == PUBLISHED_INDICES


@pytest.mark.parametrize("key", MAPS, ids="-".join)
def test_maps_commute_with_the_mirror(key: tuple[str, str]) -> None:
    mapping = MAPS[key]
    values = np.random.default_rng(0).normal(size=(3, len(mapping.source), 2))
    flipped_first = mapping.apply(values[:, list(mapping.source.flip_indices)])
    flipped_last = mapping.apply(values)[:, list(mapping.target.flip_indices)]
    np.testing.assert_array_equal(flipped_first, flipped_last)


def test_there_and_back_keeps_common_joints() -> None:
    values = np.random.default_rng(0).normal(size=(25, 3))
    back = joint_map(INFANT, MINI_RGBD_25).apply(joint_map(MINI_RGBD_25, INFANT).apply(values))
    kept = np.isfinite(back).all(axis=1)
    assert kept.sum() == 20
    np.testing.assert_array_equal(back[kept], values[kept])


def test_missing_joints_are_filled_not_invented() -> None:
    seen = joint_map(COCO_17, INFANT).apply(np.full((17, 1), 2, dtype=np.uint8), fill=0)
    assert seen[INFANT.index("pelvis"), 0] == 0 and seen[INFANT.index("left_ear"), 0] == 2
    assert np.isnan(
        joint_map(COCO_17, INFANT).apply(np.zeros((17, 2)))[INFANT.index("pelvis")]
    ).all()


def test_a_map_prints_as_a_table() -> None:
    lines = str(joint_map(MINI_RGBD_25, INFANT)).splitlines()
    assert lines[0].split() == ["infant", "mini_rgbd_25"]
    assert ["thorax", "spine2"] in [line.split() for line in lines]
    assert ["left_eye", "-"] in [line.split() for line in lines]


def test_unwritten_map_is_refused() -> None:
    with pytest.raises(KeyError, match=r"coco_17 to lsp_14.*convert\.py"):
        joint_map(COCO_17, LSP_14)
