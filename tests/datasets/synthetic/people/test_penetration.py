"""Limbs inside the body: measured, and rare in the postures that are drawn."""

import numpy as np
import pytest

from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.penetration import buried_share
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import draw_posture
from Datasets.synthetic.people.stance import LOWER_LEGS


@pytest.fixture(scope="module")
def infant():
    return draw_person(np.random.default_rng(1), "infant")


def test_a_body_at_rest_is_free_and_a_hand_in_the_trunk_counts(infant):
    assert buried_share(infant.vertices) == 0
    world = infant.vertices.copy()
    hand = bodies.weight_of(("lowerarm01.L", "lowerarm02.L", "wrist.L", "finger")) > 0.5
    hand &= world[:, 0] > 0
    trunk = world[bodies.weight_of(("spine03",)) > 0.5].mean(axis=0)
    # a small copy of forearm and hand in the middle of the trunk
    world[hand] = trunk + 0.1 * (world[hand] - world[hand].mean(axis=0))
    assert 0.2 < buried_share(world) <= 0.25


def test_it_does_not_depend_on_where_the_body_is(infant):
    posed = draw_posture(np.random.default_rng(4), infant, "infant", "sitting")
    moved = posed.moved(3.0, -2.0, 70.0)
    here, there = (buried_share(bodies.skin(infant, p.turn, p.place)) for p in (posed, moved))
    assert here == pytest.approx(there, abs=0.004)


@pytest.mark.parametrize("kind", ["sitting", "supine", "prone", "on the side"])
def test_drawn_postures_hardly_run_through_themselves(infant, kind):
    shares = []
    for seed in range(5):
        posed = draw_posture(np.random.default_rng(seed), infant, "infant", kind)
        shares.append(buried_share(bodies.skin(infant, posed.turn, posed.place)))
    assert max(shares) < 0.06
    assert np.mean(shares) < 0.015


def test_the_seat_of_the_sitting_is_on_the_floor(infant):
    for seed in range(6):
        posed = draw_posture(np.random.default_rng(seed), infant, "infant", "sitting")
        world = bodies.skin(infant, posed.turn, posed.place)
        seat = world[bodies.weight_of(("root", "pelvis", "spine05")) > 0.6, 2].min()
        feet = world[bodies.weight_of(("foot", "toe")) > 0.6, 2].min()
        assert -0.03 < seat < 0.02
        assert -0.03 < feet < 0.12


def test_hands_and_knees_of_the_crawling_are_on_the_floor(infant):
    for seed in range(6):
        posed = draw_posture(np.random.default_rng(seed), infant, "infant", "all fours")
        world = bodies.skin(infant, posed.turn, posed.place)
        for bones in (("wrist", "finger"), LOWER_LEGS):
            assert -0.02 < world[bodies.weight_of(bones) > 0.5, 2].min() < 0.03
