"""Pictures: labels fit the visible people, dolls have none, and every kind holds its people."""

import numpy as np
import pytest

from Datasets.synthetic.compose.dolls import DOLL, make_doll
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.compose.kinds import KINDS, YOUNG, draw_kind
from Datasets.synthetic.compose.pictures import photograph, take_picture
from Datasets.synthetic.places.camera import look_at_people
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.rooms import make_room

GROWN = {"child", "adult", "elder"}


SMALL = (200, 150)


@pytest.fixture(scope="module")
def room():
    """An empty room seen from above."""
    rng = np.random.default_rng(8)
    camera = look_at_people(rng, SMALL, np.zeros(3), 1.1, (70.0, 80.0), (1.0, 1.0))
    return make_room(Place(rng, camera, 1.0))


@pytest.fixture(scope="module")
def figures():
    rng = np.random.default_rng(8)
    pair = [draw_figure(rng, age, "standing") for age in ("adult", "child")]
    return [pair[0].moved(0.0, 0.0), pair[1].moved(0.5, 0.0)]


def test_labels_of_a_picture_fit_the_visible_people(figures):
    picture = photograph(np.random.default_rng(12), figures, (200, 160))
    assert picture.rgb.shape == (160, 200, 3)
    for number, labels in enumerate(picture.labels):
        seen = labels.visibility == 2
        x, y = labels.keypoints_px[seen].round().astype(int).T
        assert seen.sum() > 5
        assert (picture.person[y, x] == number).mean() > 0.6
        rows, columns = np.nonzero(picture.person == number)
        left, top, right, bottom = labels.outline_px
        assert left - 1 <= columns.min()
        assert columns.max() <= right + 1
        assert top - 1 <= rows.min()
        assert rows.max() <= bottom + 1


def test_dolls_are_drawn_and_never_labelled(room):
    doll = make_doll(np.random.default_rng(1), "supine")
    without, shown = (
        take_picture(np.random.default_rng(2), room, [], dolls) for dolls in ([], [doll])
    )
    assert shown.labels == ()
    assert (shown.person == -1).all() and (shown.beneath == -1).all()
    apart = np.abs(shown.rgb.astype(int) - without.rgb).max(axis=2)
    assert (apart > 40).sum() > 50
    infant = draw_figure(np.random.default_rng(3), "infant", "supine")
    both = take_picture(np.random.default_rng(2), room, [infant], [doll.moved(0.4, 0.0)])
    assert len(both.labels) == 1 and set(np.unique(both.person)) == {-1, 0}


def test_every_kind_occurs_as_often_as_said():
    drawn = [draw_kind(np.random.default_rng(seed)) for seed in range(1000)]
    for kind, (_, share) in KINDS.items():
        assert drawn.count(kind) / 1000 == pytest.approx(share, abs=0.04)
    assert sum(share for _, share in KINDS.values()) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_show_the_people_that_they_name(kind):
    for seed in range(5):
        made = KINDS[kind][0](np.random.default_rng(seed))
        ages = {figure.age for figure in made.figures}
        assert ages <= {*YOUNG, *GROWN}
        assert {doll.age for doll in made.dolls} <= {DOLL}
        if kind in ("alone", "cared", "hidden"):
            assert ages & set(YOUNG)
        if kind in ("cared", "grown"):
            assert ages & GROWN
        if kind in ("grown", "empty"):
            assert not ages & set(YOUNG)
        if kind == "doll":
            assert made.dolls or made.things
        if kind in ("alone", "empty"):
            assert not ages & GROWN and not made.dolls
        if kind == "hidden":
            assert made.overlays or made.things or ages & GROWN
