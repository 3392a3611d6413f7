"""Bodies: drawn wide, exact after resizing, flesh around the joints, sizes as published."""

import numpy as np
import pytest

from Datasets.skeletons import MINI_RGBD_25
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.phenotypes import AGES, LYING_INFANT, Build, draw_body, draw_person
from Datasets.synthetic.people.proportions import (
    WEEKS_PER_YEAR,
    draw_length_m,
    draw_proportions,
    median_length_m,
    ranges,
)
from Datasets.synthetic.people.resizing import crown_heel_m, measure, resize, scaled
from Datasets.synthetic.people.supine_movement import supine_movement

REAL_MEDIANS = {
    "upper_arm": 0.33,
    "elbow_fingers": 0.47,
    "thigh": 0.44,
    "shank": 0.56,
    "hip_width": 0.26,
    "shoulder_width": 0.66,
    "neck_nose": 0.41,
}
"""Apparent lengths over the trunk in fits to real infants (MINI-RGBD, sequences 01 to 10)."""


@pytest.fixture(scope="module")
def infants():
    return [draw_body(np.random.default_rng(seed), LYING_INFANT) for seed in range(12)]


@pytest.mark.parametrize("years", [0.0, 0.5, 1.5, 6.0, 30.0])
def test_resized_bodies_have_the_proportions_and_the_length_asked_for(years):
    rng = np.random.default_rng(3)
    for smil in (False, True):
        wanted = draw_proportions(rng, years * WEEKS_PER_YEAR, smil)
        raw = bodies.make_shape({"age": -0.2 if years < 2 else 0.5})
        shape = resize(raw, wanted, 0.57)
        found = measure(shape)
        for name in (*REAL_MEDIANS, "shoulder_height"):
            assert found[name] == pytest.approx(getattr(wanted, name), abs=1e-6), name
        assert found["trunk"] == pytest.approx(shape.trunk_m)
        assert shape.length_m == pytest.approx(0.57, abs=1e-9)
        assert crown_heel_m(shape) == pytest.approx(0.57, abs=1e-9)
        assert scaled(shape, 2.0).length_m == pytest.approx(1.14)


def test_a_body_resized_to_what_it_measures_keeps_its_joints():
    raw = bodies.make_shape({"age": -0.2})
    wanted = draw_proportions(np.random.default_rng(0), 10.0)
    once = resize(raw, wanted, 0.6)
    again = resize(once, wanted, 0.6)
    for bone in ("lowerarm01.L", "wrist.R", "lowerleg01.L", "foot.R", "head"):
        i = bodies.rig().index(bone)
        assert np.linalg.norm(once.heads[i] - again.heads[i]) < 0.03, bone
    assert measure(again)["thigh"] == pytest.approx(wanted.thigh, abs=1e-6)


def test_ranges_hold_the_real_medians_well_inside_for_the_young():
    for weeks in (0.0, 13.0, 30.0):
        for name, median in REAL_MEDIANS.items():
            low, high = ranges(weeks)[name]
            assert low + 0.1 * (high - low) < median < high - 0.1 * (high - low), (name, weeks)


def test_proportions_are_drawn_independently_and_evenly():
    rng = np.random.default_rng(1)
    drawn = np.array(
        [[getattr(p, n) for n in REAL_MEDIANS] for p in
         (draw_proportions(rng, 10.0) for _ in range(2000))]
    )  # fmt: skip
    off = np.corrcoef(drawn.T) - np.eye(drawn.shape[1])
    assert np.abs(off).max() < 0.08
    for column, name in zip(drawn.T, REAL_MEDIANS, strict=True):
        low, high = ranges(10.0)[name]
        assert np.quantile(column, [0.1, 0.5, 0.9]) == pytest.approx(
            [low + q * (high - low) for q in (0.1, 0.5, 0.9)], abs=0.06 * (high - low)
        )


@pytest.mark.parametrize(
    ("weeks", "boys_m", "girls_m"),
    [(0, 0.499, 0.491), (13.04, 0.614, 0.598), (26.09, 0.676, 0.657), (52.18, 0.757, 0.740)],
)
def test_lengths_are_those_of_the_who(weeks, boys_m, girls_m):
    rng = np.random.default_rng(2)
    lengths = np.array([draw_length_m(rng, weeks) for _ in range(1500)])
    assert np.median(lengths) == pytest.approx((boys_m + girls_m) / 2, rel=0.02)
    assert 0.03 < lengths.std() / lengths.mean() < 0.05


def test_age_and_length_are_on_the_body_and_half_of_the_infants_are_smil_like():
    rng = np.random.default_rng(4)
    shapes = [draw_body(rng, LYING_INFANT) for _ in range(16)]
    weeks = np.array([shape.age_weeks for shape in shapes])
    assert weeks.min() >= 0 and weeks.max() <= 30.001 and np.ptp(weeks) > 15
    for shape in shapes:
        assert shape.length_m == pytest.approx(median_length_m(shape.age_weeks), rel=0.106)
        assert shape.length_m == pytest.approx(crown_heel_m(shape))
    smil = [shape.joint_places == "SMIL-like" for shape in shapes]
    assert 3 <= sum(smil) <= 13
    narrow = [measure(shape)["hip_width"] for shape, yes in zip(shapes, smil, strict=True) if yes]
    assert max(narrow) < 0.33


@pytest.mark.parametrize(
    ("years", "share", "circumference_m"),
    [((0.0, 0.04), 0.65, 0.345), ((0.95, 1.05), 0.61, 0.454), ((20, 40), 0.525, 0.56)],
)
def test_crown_to_rump_and_heads_are_as_published(years, share, circumference_m):
    """Two thirds at birth, six tenths at a year, a little over half of the grown."""
    shares, heads = [], []
    trunk = bodies.weight_of(("root", "pelvis", "spine")) > 0.5
    for seed in range(6):
        shape = draw_body(np.random.default_rng(seed), Build(years))
        height = shape.vertices[:, 2]
        shares.append((height.max() - height[trunk].min()) / shape.length_m)
        found = measure(shape)
        heads.append(found["head"] * found["trunk"])
    assert np.mean(shares) == pytest.approx(share, abs=0.025)
    assert np.mean(heads) == pytest.approx(circumference_m, rel=0.06)


DRILLIS_CONTINI = {
    ("upperarm01.L", "lowerarm01.L"): 0.186,
    ("lowerarm01.L", "wrist.L"): 0.146,
    ("upperleg01.L", "lowerleg01.L"): 0.245,
    ("lowerleg01.L", "foot.L"): 0.246,
}
"""Segments over stature (Drillis & Contini, 1966)."""


@pytest.mark.parametrize(("age", "tolerance"), [("child", 0.12), ("adult", 0.1), ("elder", 0.1)])
def test_segments_of_the_grown_are_their_published_shares_of_stature(age, tolerance):
    shapes = [draw_person(np.random.default_rng(seed), age) for seed in range(6)]
    for (start, end), share in DRILLIS_CONTINI.items():
        i, j = bodies.rig().index(start), bodies.rig().index(end)
        found = [np.linalg.norm(s.heads[i] - s.heads[j]) / s.length_m for s in shapes]
        assert np.mean(found) == pytest.approx(share, rel=tolerance), start
    hips = [measure(s)["hip_width"] * s.trunk_m / s.length_m for s in shapes]
    shoulders = [measure(s)["shoulder_width"] * s.trunk_m / s.length_m for s in shapes]
    assert 0.08 < np.mean(hips) < 0.191 and 0.17 < np.mean(shoulders) < 0.259  # within the flesh


def test_every_labelled_joint_lies_in_the_flesh(infants):
    for shape in infants:
        points = _at_rest(shape)[:24]
        assert _winding(points, shape.vertices, bodies.rig().faces).min() > 0.9
    depths = [
        np.linalg.norm(s.vertices - _at_rest(s)[5], axis=1).min() / s.trunk_m for s in infants
    ]
    assert min(depths) > 0.05  # a knee is no pinch


def test_knees_and_elbows_lie_in_the_middle_of_their_flesh(infants):
    for shape in infants:
        for bone, around in (("lowerleg01", "lowerleg01"), ("lowerarm01", "lowerarm01")):
            for side in bodies.SIDES:
                at = shape.heads[bodies.rig().index(f"{bone}.{side}")]
                near = np.linalg.norm(shape.vertices - at, axis=1) < 0.14 * shape.trunk_m
                ring = shape.vertices[near & (bodies.weight_of((f"{around}.{side}",)) > 0.1)]
                assert np.linalg.norm(ring.mean(axis=0) - at) < 0.09 * shape.trunk_m


def test_posed_bones_are_as_long_as_at_rest(infants):
    shape = infants[0]
    movement = supine_movement(np.random.default_rng(0), shape, np.arange(12) / 4)
    for i, parent in enumerate(bodies.rig().parents):
        if parent >= 0:
            posed = np.linalg.norm(movement.place[:, i] - movement.place[:, parent], axis=1)
            assert np.ptp(posed) < 1e-9
            assert posed[0] == pytest.approx(np.linalg.norm(shape.heads[i] - shape.heads[parent]))


def test_groups_of_age_do_not_overlap_and_the_same_source_gives_the_same_body():
    starts = [years[0] for years in AGES.values()]
    assert starts == sorted(starts)
    first, again = (draw_person(np.random.default_rng(7), "infant") for _ in range(2))
    assert np.array_equal(first.vertices, again.vertices) and first.age_weeks == again.age_weeks


def _at_rest(shape: bodies.BodyShape) -> np.ndarray:
    """MINI-RGBD joints of the body at rest."""
    still = np.broadcast_to(np.eye(3), (1, len(bodies.rig().bones), 3, 3))
    joints = bodies.mini_rgbd_joints(shape, still, shape.heads[None])[0]
    assert joints.shape == (len(MINI_RGBD_25), 3)
    return joints


def _winding(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """How often a closed mesh goes round each point: 1 within, 0 without (Van Oosterom)."""
    a, b, c = (vertices[faces[:, k]] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=-1) for side in (a, b, c))
    volume = np.einsum("pfi,pfi->pf", a, np.cross(b, c))
    ab, bc, ca = (np.sum(x * y, axis=-1) for x, y in ((a, b), (b, c), (c, a)))
    return np.arctan2(volume, la * lb * lc + ab * lc + bc * la + ca * lb).sum(axis=1) / (2 * np.pi)
