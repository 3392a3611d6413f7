"""What must hold for every movement: contact, rests, a common pace, infants that differ."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from Datasets.skeletons import INFANT
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.activity import draw_activity
from Datasets.synthetic.people.contact import lift_from_trunk
from Datasets.synthetic.people.habits import ARM as ARM_KIND
from Datasets.synthetic.people.habits import ARMS, BENT, LEGS, STRETCHED, TOUCHES, draw_habits
from Datasets.synthetic.people.habits import LEG as LEG_KIND
from Datasets.synthetic.people.lying import LYING
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.people.supine_movement import supine_movement

TIMES = np.arange(300) / 30
INFANTS = 20


def made(seed, lying=None, times=TIMES):
    rng = np.random.default_rng([9, seed])
    shape = draw_body(rng, LYING_INFANT)
    return shape, supine_movement(rng, shape, times, lying)


@pytest.fixture(scope="module")
def supine():
    """Joints (infant, frame, 25, 3), metres, of infants on their backs."""
    moved = [made(seed, "supine") for seed in range(INFANTS)]
    return np.stack([bodies.infant_joints(shape, m.turn, m.place) for shape, m in moved])


def joint(joints, name):
    return joints[..., INFANT.index(name), :]


def speed(path):
    return np.linalg.norm(np.gradient(gaussian_filter1d(path, 1.5, axis=0), axis=0), axis=1) * 30


@pytest.mark.parametrize("lying", LYING)
def test_the_body_lies_on_the_bed_and_not_in_it(lying):
    shape, movement = made(1, lying)
    assert movement.kind == lying
    lowest = []
    for frame in range(0, len(TIMES), 20):
        vertices = bodies.skin(shape, movement.turn[frame], movement.place[frame])
        lowest.append(vertices[:, 2].min())
    assert min(lowest) > -0.025  # a mattress gives way by so much
    assert max(lowest) < 0.005
    joints = bodies.infant_joints(shape, movement.turn, movement.place)
    face = INFANT.indices(["nose", "left_eye", "right_eye", "left_ear", "right_ear", "head_top"])
    assert joints[:, face, 2].min() > -0.013
    assert np.delete(joints, face, axis=1)[..., 2].min() > 0.0


@pytest.mark.parametrize("lying", LYING)
def test_hands_stay_out_of_trunk_and_head_and_bones_keep_their_length(lying):
    shape, movement = made(2, lying)
    apart = 10.0 * np.arange(len(TIMES))  # far apart: no smoothing
    inside = [
        np.linalg.norm(lift_from_trunk(shape, s, movement.turn, movement.place, apart), axis=1)
        for s in bodies.SIDES
    ]
    assert np.mean(np.array(inside) > 0.012) < 0.05
    parents = np.array(bodies.rig().parents[1:])
    length = np.linalg.norm(movement.place[:, 1:] - movement.place[:, parents], axis=2)
    assert np.ptp(length, axis=0).max() < 1e-9


def test_the_same_seed_gives_the_same_bytes():
    (_, first), (_, second) = made(3), made(3)
    assert first.place.tobytes() == second.place.tobytes()
    assert first.turn.tobytes() == second.turn.tobytes()


def test_one_frame_and_slow_rates_are_movements_too():
    for times in (np.zeros(1), np.arange(4) * 5.0):
        _, movement = made(4, times=times)
        assert np.isfinite(movement.place).all() and len(movement.place) == len(times)


def test_hands_rest_on_the_bed(supine):
    heights = joint(supine, "left_fingers")[..., 2], joint(supine, "right_fingers")[..., 2]
    lowest = np.percentile(np.concatenate(heights, axis=1), 20, axis=1)
    assert np.median(lowest) < 0.025
    assert (lowest > 0.003).all()


def test_limbs_share_their_pace(supine):
    together = []
    for joints in supine:
        hands = [joint(joints, f"{s}_wrist") - joint(joints, f"{s}_shoulder") for s in LEFT_RIGHT]
        smoothed = [gaussian_filter1d(speed(path), 8) for path in hands]
        together.append(np.corrcoef(*smoothed)[0, 1])
    assert 0.25 < np.median(together) < 0.75
    assert np.ptp(together) > 0.3


def test_infants_rest_and_differ_in_how_much_they_move(supine):
    means, still = [], []
    for joints in supine:
        trunk = np.linalg.norm(joint(joints, "upper_neck") - joint(joints, "pelvis"), axis=1).mean()
        speeds = np.array([speed(joint(joints, f"{s}_ankle")) for s in LEFT_RIGHT]) / trunk
        means.append(speeds.mean())
        still.append((speeds < 0.1).mean())
    assert np.percentile(means, 90) > 2 * np.percentile(means, 10)
    assert 0.02 < np.mean(still) < 0.5


def test_feet_meet_and_cross_the_midline_at_times_but_never_overlap(supine):
    left, right = joint(supine, "left_ankle"), joint(supine, "right_ankle")
    distance = np.linalg.norm(left - right, axis=-1)
    assert 0.02 < (distance < 0.045).mean() < 0.4
    assert np.percentile(distance, 0.1) > 0.015


def test_clocks_run_on_and_share_their_pace():
    times, rates = np.arange(3000) / 30, []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        activity = draw_activity(rng, times)
        rates.append([30 * np.diff(activity.clock(rng)) for _ in range(2)])
    assert np.min(rates) > 0
    assert 0.7 < np.mean(rates) < 2.0
    together = [np.corrcoef(*np.log(pair))[0, 1] for pair in rates]
    assert 0.25 < np.median(together) < 0.85


@pytest.mark.parametrize(("kind", "table"), [(ARM_KIND, ARMS), (LEG_KIND, LEGS)])
def test_an_infant_takes_the_postures_of_the_table_in_ranges_of_its_own(kind, table):
    assert abs(sum(row.share for row in table) - 1) < 1e-9
    assert {row.touch for row in table} <= {"", *TOUCHES}
    first, second = (draw_habits(np.random.default_rng(n), kind).repertoire for n in range(2))
    assert np.abs(first.shares - second.shares).max() > 0.05
    for number, row in enumerate(table):
        for column, (low, high) in enumerate(row[2:7]):
            if row[column + 2] is row.angle:
                low, high = min(low, BENT), max(high, STRETCHED)
            assert low <= first.low[number, column] <= first.high[number, column] <= high
    targets = first.targets(np.random.default_rng(3))
    drawn = np.array([next(targets) for _ in range(200)])
    assert (drawn >= first.low.min(axis=0)).all() and (drawn <= first.high.max(axis=0)).all()


LEFT_RIGHT = ("left", "right")
