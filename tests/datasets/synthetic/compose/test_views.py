"""Cameras by posture: how steep, from which side, the same again from the same source."""

import numpy as np
import pytest

from Datasets.synthetic.compose.views import VIEWS, draw_view, facing, foreshortened
from Datasets.synthetic.people.phenotypes import draw_person
from Datasets.synthetic.people.postures import draw_posture

COUNT = 400


@pytest.fixture(scope="module")
def postures():
    shape = draw_person(np.random.default_rng(0), "infant")
    kinds = ("sitting", "supine", "prone", "standing held")
    return {k: draw_posture(np.random.default_rng(1), shape, "infant", k) for k in kinds}


def angles(posed):
    """Elevations, and how far from the side of the face cameras are, degrees."""
    views = np.array([draw_view(np.random.default_rng(n), posed) for n in range(COUNT)])
    front = np.degrees(np.arctan2(*facing(posed)[::-1]))
    return views[:, 0], np.abs((views[:, 1] - front + 180) % 360 - 180)


def test_elevations_fit_the_posture(postures):
    found = {kind: angles(posed)[0] for kind, posed in postures.items()}
    assert np.mean(found["sitting"] > 60) < 0.03, "seen from directly above"
    assert 15 < np.median(found["sitting"]) < 35
    assert np.median(found["supine"]) > 45
    assert np.mean(found["supine"] > 75) > 0.03
    assert np.median(found["standing held"]) < 30
    for elevation in found.values():
        assert np.ptp(elevation) > 45, "variety"


def test_faces_are_often_but_not_always_visible(postures):
    for posed in postures.values():
        aside = angles(posed)[1]
        assert 0.4 < np.mean(aside < 60) < 0.92
        assert np.mean(aside > 120) > 0.02
    upright = angles(postures["sitting"])[1]
    assert np.mean(upright < 60) > 0.7


def test_faces_are_seen_from_the_feet_of_the_supine_and_the_head_of_the_prone(postures):
    for kind, sign in (("supine", -1), ("prone", 1)):
        posed = postures[kind]
        along = (posed.turn[0] @ [0.0, 0.0, 1.0])[:2]
        assert sign * (facing(posed) @ along) > 0
    sitting = postures["sitting"]
    assert facing(sitting) @ (sitting.turn[0] @ [0.0, -1.0, 0.0])[:2] > 0


def test_trunks_are_seldom_seen_end_on(postures):
    for posed in postures.values():
        views = [draw_view(np.random.default_rng(n), posed) for n in range(COUNT)]
        seen = np.array([foreshortened(posed, *view) for view in views])
        assert seen.min() >= 0 and seen.max() <= 90
        assert 0.001 < np.mean(seen < 35) < 0.15 or seen.min() > 20


def test_rows_are_ordered():
    for view in VIEWS.values():
        assert list(view.elevation_degrees) == sorted(view.elevation_degrees)
