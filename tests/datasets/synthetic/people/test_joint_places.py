"""The table of joint places, and labels that follow it."""

from dataclasses import replace

import numpy as np
import pytest

from Datasets.skeletons import INFANT, MINI_RGBD_25, SKELETONS
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.joint_places import CONVENTIONS, mini_rgbd_places, rows, table
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.people.supine_movement import supine_movement


@pytest.fixture(scope="module")
def shape():
    return draw_body(np.random.default_rng(5), LYING_INFANT)


def test_every_joint_of_every_convention_stands_in_the_table():
    text = table()
    for skeleton in SKELETONS.values():
        listed = [row[0] for row in rows(skeleton)]
        assert listed == list(skeleton.joints)
        assert skeleton.name in text
    bones = bodies.rig().bones
    for convention in CONVENTIONS:
        names, offsets = mini_rgbd_places(convention)
        assert set(names) <= set(bones) and offsets.shape == (len(MINI_RGBD_25) - 1, 3)


def test_places_mirror_between_left_and_right():
    for convention in CONVENTIONS:
        names, offsets = mini_rgbd_places(convention)
        for left, right in MINI_RGBD_25.pairs:
            i, j = MINI_RGBD_25.index(left), MINI_RGBD_25.index(right)
            assert names[i] == names[j].removesuffix("R") + "L"
            assert np.array_equal(offsets[i], offsets[j] * [-1, 1, 1])


def test_bone_heads_are_labels_and_smil_like_ones_stay_fixed_to_the_body(shape):
    movement = supine_movement(np.random.default_rng(1), shape, np.arange(20) / 5)
    labels = {}
    for convention in CONVENTIONS:
        labelled = replace(shape, joint_places=convention)
        labels[convention] = bodies.mini_rgbd_joints(labelled, movement.turn, movement.place)
    heads = labels["bone heads"]
    root = bodies.rig().index("root")
    assert np.array_equal(heads[:, MINI_RGBD_25.index("pelvis")], movement.place[:, root])
    smil = labels["SMIL-like"]
    for joint in ("left_hip", "right_knee", "left_shoulder", "neck", "right_fingers", "nose"):
        assert np.array_equal(
            smil[:, MINI_RGBD_25.index(joint)], heads[:, MINI_RGBD_25.index(joint)]
        )
    head, neck, pelvis, hip = (
        smil[:, MINI_RGBD_25.index(joint)] for joint in ("head", "neck", "pelvis", "left_hip")
    )
    length = np.linalg.norm(head - neck, axis=1)
    assert np.ptp(length) < 1e-9 and 0.024 < length[0] < 0.05
    assert np.ptp(np.linalg.norm(pelvis - hip, axis=1)) < 1e-9


def test_infant_joints_follow_the_convention(shape):
    still = np.broadcast_to(np.eye(3), (1, len(bodies.rig().bones), 3, 3))
    for convention in CONVENTIONS:
        labelled = replace(shape, joint_places=convention)
        mini = bodies.mini_rgbd_joints(labelled, still, shape.heads[None])
        infant = bodies.infant_joints(labelled, still, shape.heads[None])
        for ours, theirs in (("thorax", "spine2"), ("pelvis", "pelvis"), ("upper_neck", "neck")):
            assert np.array_equal(
                infant[:, INFANT.index(ours)], mini[:, MINI_RGBD_25.index(theirs)]
            )
