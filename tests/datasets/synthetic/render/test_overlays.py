"""Blankets, cables and netting over people."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from Datasets.skeletons import INFANT
from Datasets.structures import OCCLUDED
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.compose.pictures import take_picture
from Datasets.synthetic.places.camera import look_at_people
from Datasets.synthetic.places.furniture import Tube, Veil
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.rooms import make_room
from Datasets.synthetic.render.covers import THIN, draw_cover, tuck_in
from Datasets.synthetic.render.overlays import draw_tubes, draw_veils
from Datasets.synthetic.render.renderer import Actor, Renderer

SMALL = (200, 150)


@pytest.fixture(scope="module")
def room():
    """An empty room seen from above."""
    rng = np.random.default_rng(8)
    camera = look_at_people(rng, SMALL, np.zeros(3), 1.1, (70.0, 80.0), (1.0, 1.0))
    return make_room(Place(rng, camera, 1.0))


def test_blankets_hide_the_body_and_leave_the_head(room):
    infant = draw_figure(np.random.default_rng(5), "infant", "supine").headed(90.0)
    blanket = tuck_in(np.random.default_rng(6), THIN, infant.surface(), (0.6, 0.9))
    plain = take_picture(np.random.default_rng(7), room, [infant])
    overlays = [partial(draw_cover, blanket, room)]
    covered = take_picture(np.random.default_rng(7), room, [infant], overlays=overlays)
    assert np.array_equal(covered.beneath, plain.person)
    lost = (plain.person == 0) & (covered.person < 0)
    assert 0.2 < lost.sum() / (plain.person == 0).sum() < 0.95
    before, after = plain.labels[0], covered.labels[0]
    assert np.array_equal(before.keypoints_px, after.keypoints_px)
    x, y = np.clip(after.keypoints_px.round(), 0, np.array(SMALL) - 1).astype(int).T
    under = (before.visibility > 0) & lost[y, x]
    assert under.sum() >= 2
    assert (after.visibility[under] == OCCLUDED).all()
    nose = INFANT.index("nose")
    assert not under[nose] and after.visibility[nose] == before.visibility[nose]


def test_cables_and_netting_lie_over_people(room):
    infant = draw_figure(np.random.default_rng(5), "infant", "supine")
    renderer = Renderer(room, [Actor(infant.shape, infant.look, 1)])
    shot = renderer.render([(infant.posed.turn, infant.posed.place)])
    middle = infant.posed.place[0]
    course = middle + np.array([[-0.3, 0, 0.25], [0, 0, 0.25], [0.3, 0, 0.25]])
    wired = draw_tubes([Tube(course, 0.01, np.full(3, 0.5))], room, shot)
    changed = wired.depth_m != shot.depth_m
    assert changed.sum() > 50
    assert (wired.depth_m <= shot.depth_m).all()
    assert (wired.person[changed] == -1).all() and (shot.person[changed] == 0).any()
    buried = replace(Tube(course - [0, 0, 0.6], 0.01, np.full(3, 0.5)))
    assert np.array_equal(draw_tubes([buried], room, shot).linear, shot.linear)
    veil = Veil((0.0, 0.0, 0.5), (0.6, 0.6, 0.005), (0.0, 0.0, 0.0), 0.5)
    veiled = draw_veils([veil], room, shot)
    assert np.array_equal(veiled.person, shot.person)
    ratio = veiled.linear[shot.mask] / np.maximum(shot.linear[shot.mask], 1e-6)
    assert np.median(ratio) == pytest.approx(0.5, abs=0.02)
