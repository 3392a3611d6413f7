"""Profile ``scenes``: every kind of picture, dolls and beds without labels, ages, same bytes."""

import hashlib
import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from Datasets.readers.coco import read_part
from Datasets.skeletons import INFANT
from Datasets.structures import OCCLUDED
from Datasets.synthetic import workers
from Datasets.synthetic.capture.night import infrared_look
from Datasets.synthetic.compose import kinds
from Datasets.synthetic.compose.carers import HAND_M, LEGS, bend_over, hold, with_hands_at
from Datasets.synthetic.compose.dolls import DOLL, LENGTH_M, STIFF, make_doll, plush
from Datasets.synthetic.compose.figures import draw_figure
from Datasets.synthetic.compose.kinds import KINDS, YOUNG, draw_kind
from Datasets.synthetic.compose.pictures import take_picture
from Datasets.synthetic.people import body as bodies
from Datasets.synthetic.people.body import SIDES, weight_of
from Datasets.synthetic.people.clothing import unlikeness
from Datasets.synthetic.people.limbs import arm
from Datasets.synthetic.people.phenotypes import AGES
from Datasets.synthetic.places.camera import look_at_people
from Datasets.synthetic.places.furniture import Tube, Veil
from Datasets.synthetic.places.place import Place
from Datasets.synthetic.places.resting_places import RESTING_PLACES
from Datasets.synthetic.places.rooms import make_room
from Datasets.synthetic.places.solids import Bars, Box
from Datasets.synthetic.profiles import scenes
from Datasets.synthetic.profiles.coco import generate_coco
from Datasets.synthetic.profiles.generation import write_pictures
from Datasets.synthetic.render.covers import THIN, draw_cover, tuck_in
from Datasets.synthetic.render.overlays import draw_tubes, draw_veils
from Datasets.synthetic.render.renderer import Actor, Renderer
from Datasets.verify.coco import verify_coco
from Datasets.writers.coco import write_coco

GROWN = {"child", "adult", "elder"}
SMALL = (200, 150)


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def one_of_each(tmp_path_factory):
    """A folder with one small picture of every kind, in their order."""
    root, entries = tmp_path_factory.mktemp("scenes"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "SIZES", (SMALL,))
        patch.setattr(scenes, "EVERYDAY_SHARE", 0.0)
        for number, kind in enumerate(KINDS):
            patch.setattr(kinds, "draw_kind", lambda rng, kind=kind: kind)
            entries += write_pictures(scenes.STYLE, root, 3, range(number, number + 1))
    write_coco(root, "train2017", entries)
    (root / "generator.json").write_text("{}")
    return root


@pytest.fixture(scope="module")
def room():
    """An empty room seen from above."""
    rng = np.random.default_rng(8)
    camera = look_at_people(rng, SMALL, np.zeros(3), 1.1, (70.0, 80.0), (1.0, 1.0))
    return make_room(Place(rng, camera, 1.0))


def test_same_seed_same_bytes_for_any_number_of_workers(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "CHUNK", 2)
    for count in (1, 2):
        generate_coco(tmp_path / str(count), 4, 5, count, style=scenes.STYLE)
    assert len(digests(tmp_path / "1")) == 6
    assert digests(tmp_path / "1") == digests(tmp_path / "2")


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


def test_a_folder_is_the_layout_with_ages_and_empty_pictures(one_of_each):
    found = verify_coco(one_of_each)
    assert found.ok, str(found)
    split = "train2017"
    path = one_of_each / "annotations" / f"person_keypoints_{split}.json"
    content = json.loads(path.read_text())
    assert [image["scene"] for image in content["images"]] == list(KINDS)
    kinds = {image["id"]: image["scene"] for image in content["images"]}
    ages = {kind: set() for kind in KINDS}
    for one in content["annotations"]:
        ages[kinds[one["image_id"]]].add(one["age"])
        assert not one["iscrowd"]
    assert ages["empty"] == set()
    assert ages["grown"] and ages["grown"] <= GROWN
    assert all(ages[kind] & set(YOUNG) for kind in ("alone", "cared", "hidden"))
    assert set().union(*ages.values()) <= set(AGES)
    images = dict(zip(KINDS, read_part(one_of_each, split).images, strict=True))
    assert images["empty"].people == images["empty"].ignored == ()
    assert {person.age for person in images["alone"].people} <= set(YOUNG)


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


@pytest.mark.parametrize("make", RESTING_PLACES)
def test_resting_surfaces_are_level_with_the_origin(make):
    for seed in range(4):
        place = make(np.random.default_rng(seed))
        assert min(place.half_m) > 0.12 and place.floor_m <= 0
        tops = [
            part.centre[2] + part.half[2]
            for part in place.parts
            if np.all(np.abs(part.centre[:2]) < part.half[:2]) and part.centre[2] < 0.3
        ]
        if place.floor_m < 0:
            assert min(abs(top) for top in tops) < 0.005
        assert place.azimuth_degrees[0] < place.azimuth_degrees[1]


def test_bars_are_many_boxes():
    bars = Bars(np.array([0.1, 0.0, 0.2]), np.array([0.011, 0.3, 0.25]), 0.4, 0)
    count, thick = round(0.6 / Bars.apart), Bars.thick / 2
    boxes = []
    for number in range(count + 1):
        along = bars.to_world(np.array([0.0, -0.3 + number * 0.6 / count, 0.0]))
        half = np.array([0.011, thick, 0.25])
        boxes.append(Box(bars.centre + along, half, 0.4, 0))
    rng = np.random.default_rng(4)
    origin = np.array([1.2, -0.9, 0.6])
    rays = bars.centre + bars.to_world(rng.uniform(-0.98, 0.98, (3000, 3)) * bars.half) - origin
    expected = np.min([box.entry(origin, rays) for box in boxes], axis=0)
    reach = bars.entry(origin, rays)
    # the outer halves of the first and last bar are beyond the box that holds them
    inner = np.abs(bars.to_local(origin + rays - bars.centre)[:, 1]) < 0.25
    same = np.isclose(reach, expected, atol=1e-6) | (np.isinf(reach) & np.isinf(expected))
    assert 0.2 < np.isfinite(reach).mean() < 0.98
    assert same[inner].all()
    hit = np.flatnonzero(np.isfinite(reach))
    normals, _ = bars.surface(bars.to_local(origin + rays[hit] * reach[hit, None] - bars.centre))
    assert (np.einsum("ij,ij->i", bars.to_world(normals), rays[hit]) < 1e-6).mean() > 0.999


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


def test_bodies_that_reach_beside_the_camera_are_cut_off_where_asked(room):
    infant = draw_figure(np.random.default_rng(5), "infant", "supine")
    up = -room.camera.rotation[2]
    at_camera = room.camera.position - 0.15 * up
    posed = infant.posed.moved(*at_camera[:2], 0.0, at_camera[2])
    masks = [
        Renderer(room, [Actor(infant.shape, infant.look, 1)], clipped).render(
            [(posed.turn, posed.place)]
        ).mask
        for clipped in (False, True)
    ]  # fmt: skip
    assert not masks[0].any()
    assert masks[1].any()


def test_infrared_shows_clothes_on_skin_of_any_tone():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        look = infrared_look(rng, draw_figure(rng, "adult", "standing").look)
        assert np.ptp(look.skin) == 0
        for cloth in look.materials:
            assert np.ptp(cloth.colours, axis=1).max() < 1e-12
            assert min(unlikeness(tone, look.skin) for tone in cloth.colours) > 0.1
