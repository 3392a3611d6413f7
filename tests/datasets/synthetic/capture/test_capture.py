"""Blur, outlines and near infrared."""

import numpy as np
import pytest

from Datasets.synthetic.capture.camera_effects import CameraEffects, defocused, without_stairs
from Datasets.synthetic.capture.night import infrared_look
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.people.clothing import unlikeness


def test_defocus_keeps_the_focused_part_and_the_light():
    rng = np.random.default_rng(6)
    linear = rng.uniform(0, 1, (40, 60, 3)).astype(np.float32)
    depth = np.where(np.arange(60) < 30, 2.0, 20.0) * np.ones((40, 1))
    shown = defocused(linear, depth, 2.0, 6.0)
    assert np.array_equal(shown[:, :30], linear[:, :30])
    assert shown[:, 40:].std() < 0.5 * linear[:, 40:].std()
    assert shown[:, 40:].mean() == pytest.approx(linear[:, 40:].mean(), abs=0.02)
    even = np.full_like(linear, 0.4)
    assert np.allclose(defocused(even, depth, 2.0, 6.0), even, atol=0.02)


def test_outlines_are_softened_and_nothing_else():
    linear = np.random.default_rng(7).uniform(0, 1, (20, 30, 3)).astype(np.float32)
    person = np.full((20, 30), -1)
    person[5:15, 10:20] = 0
    changed = (without_stairs(linear, person) != linear).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert changed[5, 10:20].all()
    assert not changed[7:13, 12:18].any()
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 15, 9, 20)
    assert np.array_equal(without_stairs(linear, np.full((20, 30), -1)), linear)


def test_infrared_shows_clothes_on_skin_of_any_tone():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        look = infrared_look(rng, draw_figure(rng, "adult", "standing").look)
        assert np.ptp(look.skin) == 0
        for cloth in look.materials:
            assert np.ptp(cloth.colours, axis=1).max() < 1e-12
            assert min(unlikeness(tone, look.skin) for tone in cloth.colours) > 0.1


def test_people_are_exposed_whatever_their_skin_and_their_ground():
    """Dark on white and fair on black are readable; without people the mean decides."""
    person = np.zeros((40, 60), dtype=bool)
    person[10:30, 20:40] = True
    for seed, (skin, ground) in enumerate([(0.02, 0.8), (0.5, 0.01), (0.05, 0.3), (0.4, 0.4)]):
        rng = np.random.default_rng(seed)
        effects = CameraEffects.draw(rng)
        linear = np.where(person, skin, ground)[..., None] * np.ones(3)
        gains = effects.gains(linear, person)
        shown = effects.develop(rng, linear.astype(np.float32), gains)
        assert 80 < shown[person].mean() < 215, (skin, ground)
        plain = (linear * effects.gains(linear)).mean() / effects.balance.mean()
        assert plain == pytest.approx(effects.target, rel=1e-6)


def test_a_small_person_does_not_decide_the_exposure():
    effects = CameraEffects.draw(np.random.default_rng(0))
    linear, person = np.full((100, 100, 3), 0.5), np.zeros((100, 100), dtype=bool)
    linear[:3, :3], person[:3, :3] = 0.001, True
    np.testing.assert_allclose(effects.gains(linear, person), effects.gains(linear))
