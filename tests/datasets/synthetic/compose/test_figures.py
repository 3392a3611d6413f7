"""Figures: people side by side, carers and their hands, dolls and plush animals."""

import numpy as np
import pytest

from Datasets.synthetic.compose.carers import HAND_M, LEGS, bend_over, hold, with_hands_at
from Datasets.synthetic.compose.dolls import LENGTH_M, STIFF, make_doll, plush
from Datasets.synthetic.compose.figures import draw_figure, side_by_side
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, weight_of
from Datasets.synthetic.people.clothing import unlikeness
from Datasets.synthetic.people.limbs import arm


def test_a_group_keeps_its_distance():
    one = draw_figure(np.random.default_rng(8), "adult", "standing")
    crowd = side_by_side([one] * 4)
    middles = np.stack([figure.posed.place[0, :2] for figure in crowd])
    apart = np.linalg.norm(middles[:, None] - middles, axis=-1) + np.eye(4)
    assert apart.min() > 0.25


def test_hands_come_to_where_they_are_wanted():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        carer = draw_figure(rng, "adult", "kneeling")
        shoulders = carer.posed.place[[arm(carer.shape, side).base for side in SIDES]]
        front = carer.posed.turn[0] @ [0.0, -1.0, 0.0]
        palms = shoulders + 0.3 * front * [1, 1, 0] - [0, 0, 0.15]
        moved = with_hands_at(carer.shape, carer.posed, palms)
        for side, palm in zip(SIDES, palms, strict=True):
            wrist = moved.place[bodies.rig().index(f"wrist.{side}")]
            assert np.linalg.norm(wrist - palm) < HAND_M + 0.04
        legs = [i for i, bone in enumerate(bodies.rig().bones) if "leg" in bone or "foot" in bone]
        assert np.allclose(moved.place[legs], carer.posed.place[legs], atol=1e-6)


@pytest.mark.parametrize(("floor", "edge"), [(-0.8, 0.35), (0.0, 0.15)])
def test_carers_stand_beside_a_place_and_reach_into_it(floor, edge):
    palms = np.array([[0.08, 0.0, 0.1], [-0.08, 0.0, 0.1]])
    away = []
    for seed in range(4):
        carer = bend_over(np.random.default_rng(seed), palms, 0.0, edge, floor)
        world = carer.surface()
        assert abs(world[:, 2].min() - floor) < 0.03
        assert world[weight_of(LEGS) > 0.8, 0].min() > edge - 0.06
        wrists = [carer.posed.place[bodies.rig().index(f"wrist.{side}")] for side in SIDES]
        away.append(np.linalg.norm(np.mean(wrists, axis=0) - palms.mean(axis=0)))
    assert np.median(away) < 0.25


def test_a_held_infant_is_before_the_breast_of_its_holder():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        holder, held = hold(rng, make_doll(rng, "sitting"))
        spine = held.posed.place[bodies.rig().index("spine03")]
        wrists = [holder.posed.place[bodies.rig().index(f"wrist.{side}")] for side in SIDES]
        assert min(np.linalg.norm(wrist - spine) for wrist in wrists) < 0.25


def test_dolls_are_small_stiff_dressed_and_of_one_colour():
    hands = weight_of(("upperarm", "lowerarm", "wrist", "metacarpal", "finger"))
    lengths = []
    for seed in range(12):
        doll = make_doll(np.random.default_rng(seed))
        assert doll.posed.kind in STIFF
        lengths.append(np.ptp(doll.shape.vertices[:, 2]))
        for side in SIDES:
            ends = [
                doll.posed.place[bodies.rig().index(f"{bone}.{side}")]
                for bone in ("upperarm01", "lowerarm01", "wrist")
            ]
            straight = np.linalg.norm(ends[2] - ends[0]) / sum(arm(doll.shape, side).lengths)
            assert straight > 0.9
        up = doll.shape.vertices[:, 2] - doll.shape.heads[0, 2]
        hips = (np.abs(up) < 0.03 * doll.size_m) & (hands == 0)
        assert hips.sum() > 30
        assert (doll.look.fields[hips] > 0).any(axis=1).mean() > 0.97
        tones = [tone for cloth in doll.look.materials for tone in cloth.colours]
        assert min(unlikeness(tone, doll.look.skin) for tone in tones) > 0.15
        assert -0.05 < doll.surface()[:, 2].min() < 0.02
    assert min(lengths) > 0.98 * LENGTH_M[0] and max(lengths) < 1.02 * LENGTH_M[1]
    assert np.ptp(lengths) > 0.1


@pytest.mark.parametrize("lying", [True, False])
def test_plush_animals_rest_on_the_ground(lying):
    for seed in range(5):
        parts = plush(np.random.default_rng(seed), lying)
        lowest = min(part.centre[2] - part.half[2] for part in parts)
        assert -0.01 < lowest < 0.03
        assert max(part.centre[2] + part.half[2] for part in parts) < (0.33 if lying else 0.65)
