"""Postures: on the floor, of every kind, never twice the same; movement without jumps."""

from __future__ import annotations

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import BodyShape, weight_of
from Datasets.synthetic.people.outfits import dress_person
from Datasets.synthetic.people.phenotypes import AGES, draw_person
from Datasets.synthetic.people.postures import (
    ACTIVE,
    FAMILIES,
    KINDS_OF_AGE,
    draw_posture,
    move_between_postures,
)
from Datasets.synthetic.people.stance import pose_body

SUNK_M = {"supine": 0.08, "prone": 0.08, "on the side": 0.12, "sitting": 0.05}
"""How far flesh, a hand or a foot may be in the floor."""


@pytest.fixture(scope="module")
def adult() -> BodyShape:
    return draw_person(np.random.default_rng(0), "adult")


@pytest.fixture(scope="module")
def infant() -> BodyShape:
    return draw_person(np.random.default_rng(1), "infant")


def joints(shape: BodyShape, turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    return bodies.infant_joints(shape, turn[None], place[None])[0]


@pytest.mark.parametrize("kind", FAMILIES)
def test_posed_bodies_touch_the_floor_and_limbs_keep_their_length(adult, infant, kind) -> None:
    for shape, age in ((adult, "adult"), (infant, "infant")):
        posed = draw_posture(np.random.default_rng(7), shape, age, kind)
        lowest = bodies.skin(shape, posed.turn, posed.place)[:, 2].min()
        assert -SUNK_M.get(kind, 0.02) < lowest < 0.02
        assert np.isfinite(posed.place).all()
        for side in ("L", "R"):
            for a, b in (("upperarm01", "lowerarm01"), ("upperleg01", "lowerleg01")):
                i, j = (bodies.rig().index(f"{bone}.{side}") for bone in (a, b))
                ours = np.linalg.norm(posed.place[i] - posed.place[j])
                assert ours == pytest.approx(np.linalg.norm(shape.heads[i] - shape.heads[j]))


def test_same_source_same_posture_and_no_two_alike(adult) -> None:
    first, again, other = (
        draw_posture(np.random.default_rng(s), adult, "adult", "sporting").place for s in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert np.linalg.norm(first - other, axis=1).mean() > 0.1


def test_lying_bodies_face_up_down_or_sideways(infant) -> None:
    """The nose of the supine is above the middle of the ears, that of the prone is not."""
    for kind, sign in (("supine", 1), ("prone", -1)):
        for seed in range(4):
            posed = draw_posture(np.random.default_rng(seed), infant, "infant", kind)
            front = posed.turn[bodies.rig().index("spine03")] @ [0.0, -1.0, 0.0]
            assert front[2] * sign > 0.6
            here = joints(infant, posed.turn, posed.place)
            assert here[:, 2].max() < 0.4
    for seed in range(4):
        posed = draw_posture(np.random.default_rng(seed), infant, "infant", "on the side")
        front = posed.turn[bodies.rig().index("root")] @ [0.0, -1.0, 0.0]
        assert abs(front[2]) < 0.6


def test_the_prone_lie_on_their_bellies_with_hands_on_the_floor(infant) -> None:
    hand, left = weight_of(("wrist", "finger")) > 0.5, infant.vertices[:, 0] > 0
    trunk, heights = weight_of(("root", "pelvis", "spine")) > 0.5, []
    for seed in range(8):
        posed = draw_posture(np.random.default_rng(seed), infant, "infant", "prone")
        z = bodies.skin(infant, posed.turn, posed.place)[:, 2]
        heights += [z[hand & left].min(), z[hand & ~left].min()]
        assert -0.03 < z[trunk].min() < 0.0
    assert min(heights) > -0.03, "hands are not in the floor"
    assert np.mean(np.array(heights) < 0.02) > 0.7, "most lie on it"


def test_a_mirrored_stance_is_the_mirrored_body(adult) -> None:
    """To the body's own asymmetry and that of its hands' touch."""
    stance = FAMILIES["walking"](np.random.default_rng(5))
    posed = [pose_body(adult, s, np.zeros(1)) for s in (stance, stance.mirrored())]
    plain, mirrored = (joints(adult, m.turn[0], m.place[0]) for m in posed)
    flipped = (plain * [-1, 1, 1])[list(INFANT.flip_indices)]
    body = [i for i, j in enumerate(INFANT.joints) if "fingers" not in j]
    assert np.linalg.norm(flipped - mirrored, axis=1)[body].max() < 0.03


def test_feet_of_the_standing_are_under_and_heads_over_them(adult) -> None:
    for seed in range(4):
        posed = draw_posture(np.random.default_rng(seed), adult, "adult", "standing")
        here = dict(zip(INFANT.joints, joints(adult, posed.turn, posed.place), strict=True))
        assert here["head_top"][2] > 1.2
        assert max(here["left_ankle"][2], here["right_ankle"][2]) < 0.25


def test_moved_turns_and_shifts(adult) -> None:
    posed = draw_posture(np.random.default_rng(0), adult, "adult", "kneeling")
    moved = posed.moved(1.0, 2.0, 90.0)
    np.testing.assert_allclose(moved.place[:, 0], -posed.place[:, 1] + 1, atol=1e-9)
    np.testing.assert_allclose(moved.place[:, 2], posed.place[:, 2])


def test_movement_is_smooth_and_stays_on_the_floor(adult) -> None:
    times = np.arange(60) / 25
    movement, kinds = move_between_postures(np.random.default_rng(2), adult, times)
    assert len(kinds) == 60 and set(kinds) <= set(ACTIVE) and len(set(kinds)) > 1
    paths = bodies.infant_joints(adult, movement.turn, movement.place)
    steps = np.linalg.norm(np.diff(paths, axis=0), axis=-1)
    assert steps.max() < 0.35, "a joint jumps"
    lowest = [
        bodies.skin(adult, t, p)[:, 2].min()
        for t, p in zip(movement.turn[::10], movement.place[::10], strict=True)
    ]
    assert np.abs(lowest).max() < 0.12


def test_heights_grow_with_age_and_every_age_has_postures() -> None:
    heights = [np.ptp(draw_person(np.random.default_rng(0), age).vertices[:, 2]) for age in AGES]
    assert (np.diff(heights[:4]) > 0.1).all()
    assert set(KINDS_OF_AGE) == set(AGES)
    for kinds in KINDS_OF_AGE.values():
        assert set(kinds) <= set(FAMILIES)


@pytest.mark.parametrize("age", ["child", "adult", "elder"])
def test_trunk_and_hips_of_the_grown_are_always_covered(age: str) -> None:
    trunk = weight_of(("root", "pelvis", "spine05", "spine04", "spine03", "spine02")) > 0.95
    for seed in range(5):
        rng = np.random.default_rng((seed, 11))
        shape = draw_person(rng, age)
        look = dress_person(rng, shape, age)
        assert (look.fields[trunk].max(axis=1) > 0).mean() > 0.98
