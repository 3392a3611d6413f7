"""Heads: where they look, and what is painted on them."""

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.faces import face_marks, hair_lift
from Datasets.synthetic.people.gaze import look_at
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import draw_posture
from Datasets.synthetic.people.stance import NECK_LIMITS

HEAD = "head"
INFANT_NOSE, INFANT_EYE = INFANT.indices(("nose", "left_eye"))


@pytest.fixture(scope="module")
def infant():
    return draw_person(np.random.default_rng(2), "infant")


def gaze_of(posed):
    return posed.turn[bodies.rig().index(HEAD)] @ [0.0, -1.0, 0.0]


def test_a_head_turns_to_a_point_and_nothing_else_moves(infant):
    posed = draw_posture(np.random.default_rng(3), infant, "infant", "sitting")
    head = posed.place[bodies.rig().index(HEAD)]
    trunk = posed.turn[bodies.rig().index("spine01")]
    point = head + trunk @ [0.5, -1.0, 0.3]
    turned = look_at(infant, posed, point)
    wanted = point - turned.place[bodies.rig().index(HEAD)]
    angle = np.degrees(np.arccos(gaze_of(turned) @ wanted / np.linalg.norm(wanted)))
    assert angle < 14
    chest = [i for i, bone in enumerate(bodies.rig().bones) if bone.startswith(("spine", "upper"))]
    assert np.array_equal(turned.turn[chest], posed.turn[chest])
    assert np.array_equal(turned.place[chest], posed.place[chest])
    joints = [bodies.infant_joints(infant, p.turn[None], p.place[None])[0] for p in (posed, turned)]
    lengths = [np.linalg.norm(j[INFANT_NOSE] - j[INFANT_EYE]) for j in joints]
    assert lengths[0] == pytest.approx(lengths[1])


def test_necks_keep_within_their_limits_and_no_share_is_no_turn(infant):
    posed = draw_posture(np.random.default_rng(3), infant, "infant", "prone")
    trunk = posed.turn[bodies.rig().index("spine01")]
    head = posed.place[bodies.rig().index(HEAD)]
    up = look_at(infant, posed, head + trunk @ [0.05, -0.05, 3.0])
    nod = np.degrees(np.arcsin((trunk.T @ gaze_of(up))[2]))
    assert nod < -NECK_LIMITS[0][0] + 5
    behind = look_at(infant, posed, head + trunk @ [0.1, 2.0, 0.0])
    assert np.array_equal(behind.turn, posed.turn)


def test_hair_leaves_the_face_free_and_lifts_only_where_it_is(infant):
    from Datasets.synthetic.people.clothing import surface_coordinates

    where, nose = surface_coordinates(infant), infant.face_points[0]
    eyes = infant.face_points[1:3].mean(axis=0)
    own = bodies.weight_of(("head",)) > 0.8
    face = own & (infant.vertices[:, 1] < nose[1] + 0.025) & (infant.vertices[:, 2] < eyes[2])
    worn = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        marks = face_marks(rng, infant, where.head)
        assert marks.shape == (len(infant.vertices), 4) and marks.min() >= 0
        assert marks[face, 3].max() == 0
        assert (hair_lift(rng, infant, marks[:, 3])[marks[:, 3] == 0] == 0).all()
        worn.append(marks[own, 3].mean())
    assert np.mean(np.array(worn) > 0.02) > 0.5
    again = [face_marks(np.random.default_rng(5), infant, where.head) for _ in range(2)]
    assert np.array_equal(*again)
