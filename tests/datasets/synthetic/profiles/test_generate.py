"""What is written: same bytes for the same seed, labels that fit the pictures, clothes always."""

import hashlib
import json
import socket

import generator_labels
import numpy as np
import pytest
from PIL import Image

from Datasets.geometry.camera import project
from Datasets.readers.mini_rgbd import INTRINSICS, load_infant, read_mini_rgbd
from Datasets.skeletons import INFANT
from Datasets.structures import OCCLUDED, VISIBLE
from Datasets.synthetic import generate
from Datasets.synthetic.capture.camera_effects import CameraEffects
from Datasets.synthetic.people.outfits import dress
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.places.sheets import sheet_albedo
from Datasets.synthetic.profiles.mini_rgbd import (
    PROFILES,
    SequencePlan,
    pose_sequence,
)
from Datasets.synthetic.profiles.movement_bank import (
    FPS,
    FRAMES,
    Mixture,
    movement_of_infant,
    write_movement_bank,
)
from Engine.errors import DataError


def digest(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    root = tmp_path_factory.mktemp("generated")
    generate("mini_rgbd", root, ("11", "12"), frames=3, seed=77, fps=1.0)
    return root


def test_same_seed_same_bytes_whatever_the_number_of_workers(generated, tmp_path):
    generate("mini_rgbd", tmp_path, ("11", "12"), frames=3, seed=77, fps=1.0, workers=2)
    assert digest(tmp_path) == digest(generated)


def test_a_sequence_depends_on_its_number_and_the_seed_only():
    a, b = (
        pose_sequence(SequencePlan("mini_rgbd", seed, name, 3, 1.0))[1].place
        for seed, name in ((77, "11"), (77, "12"))
    )
    c = pose_sequence(SequencePlan("mini_rgbd", 78, "11", 3, 1.0))[1].place
    again = pose_sequence(SequencePlan("mini_rgbd", 77, "11", 3, 1.0))[1].place
    assert np.array_equal(a, again)
    assert not np.allclose(a, b)
    assert not np.allclose(a, c)


def test_labels_project_and_fit_picture_mask_and_depth(generated):
    dataset = read_mini_rgbd(generated, skeleton=INFANT)
    for sample in read_mini_rgbd(generated).samples:
        found = project(sample.joints_mm, sample.intrinsics)
        assert np.abs(found - sample.keypoints_px).max() < 0.01
    for sample in dataset.samples:
        mask = np.asarray(Image.open(sample.mask_path)) > 0
        assert np.abs(project(sample.joints_mm, INTRINSICS) - sample.keypoints_px).max() < 0.01
        shown = np.isin(sample.visibility, (VISIBLE, OCCLUDED))
        x, y = np.round(sample.keypoints_px[shown]).astype(int).T
        assert mask[np.clip(y, 0, 479), np.clip(x, 0, 639)].mean() > 0.85
        assert 0.01 < mask.mean() < 0.6
        assert np.abs(np.asarray(Image.open(sample.image_path), float)[mask].std()) > 3


def test_depth_is_the_surface_over_the_joints(generated):
    folder = generated / "11"
    depth = np.asarray(Image.open(folder / "depth" / "syn_00000_depth.png")).astype(float)
    joints = np.load(folder / "infant_joints.npz")
    shown = joints["visibility"][0] == VISIBLE
    x, y = np.round(joints["keypoints_px"][0][shown]).astype(int).T
    over = joints["joints_mm"][0][shown][:, 2] - depth[y, x]
    assert over.max() <= 51  # a visible joint is at most a limb's thickness below the surface
    assert np.median(over) > 0


def test_head_length_file_is_what_the_reader_measures(generated):
    for sample in read_mini_rgbd(generated).samples:
        stored = json.loads((generated / sample.sequence / "head_length.json").read_text())
        assert sample.head_length_mm == pytest.approx(stored["mm"], abs=0.01)
        assert sample.head_length_px == pytest.approx(stored["px"], abs=0.01)


def test_age_and_length_of_each_infant_are_written(generated, tmp_path):
    for sequence in ("11", "12"):
        shape, _, _ = pose_sequence(SequencePlan("mini_rgbd", 77, sequence, 3, 1.0))
        found = load_infant(generated / sequence)
        assert found["age_weeks"] == pytest.approx(shape.age_weeks, abs=0.01)
        assert found["length_mm"] == pytest.approx(1000 * shape.length_m, abs=0.1)
        written = json.loads((generated / sequence / "infant.json").read_text())
        assert written["joint_places"] == shape.joint_places
    assert load_infant(tmp_path) is None
    (tmp_path / "infant.json").write_text('{"age_weeks": "old"}')
    with pytest.raises(DataError, match=r"infant\.json does not hold numbers"):
        load_infant(tmp_path)


def test_every_infant_wears_a_nappy_and_skin_tones_spread():
    rng = np.random.default_rng(0)
    shape = draw_body(rng, LYING_INFANT)
    looks = [dress(rng, shape) for _ in range(25)]
    hips = np.abs(shape.vertices[:, 2] - shape.heads[0][2]) < 0.01
    middle = np.abs(shape.vertices[:, 0]) < 0.03
    for look in looks:
        assert look.names[0] == "nappy"
        assert (look.fields[hips & middle, 0] > 0).all()
        assert np.linalg.norm(look.vertices - shape.vertices, axis=1).max() < 0.03
    brightness = [look.skin.mean() for look in looks]
    assert max(brightness) > 3 * min(brightness)


def test_nothing_connects_while_generating(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the generator opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    generate("varied", tmp_path, ("01",), frames=1, seed=3)
    assert (tmp_path / "01" / "rgb" / "syn_00000.png").is_file()


@pytest.mark.parametrize(
    ("profile", "sequences", "frames"),
    [
        ("unknown", ("01",), 1),
        ("mini_rgbd", ("one",), 1),
        ("mini_rgbd", (), 1),
        ("mini_rgbd", ("01",), 0),
    ],
)
def test_what_cannot_be_generated_is_refused_in_one_line(tmp_path, profile, sequences, frames):
    with pytest.raises(DataError) as error:
        generate(profile, tmp_path, sequences, frames)
    assert "\n" not in str(error.value)


def test_movement_bank_moves_bodies_of_fixed_size_whatever_the_workers(tmp_path):
    write_movement_bank(tmp_path / "one.npz", infants=2, seed=4)
    write_movement_bank(tmp_path / "two.npz", infants=2, seed=4, workers=2)
    one, two = np.load(tmp_path / "one.npz"), np.load(tmp_path / "two.npz")
    assert np.array_equal(one["joints_mm"], two["joints_mm"])
    joints_mm = one["joints_mm"]
    assert joints_mm.shape == (2, FRAMES, 25, 3) and one["fps"] == FPS
    knee, ankle = INFANT.index("left_knee"), INFANT.index("left_ankle")
    shin = np.linalg.norm(joints_mm[:, :, knee] - joints_mm[:, :, ankle], axis=-1)
    assert np.ptp(shin, axis=1).max() < 0.01 and abs(shin[0, 0] - shin[1, 0]) > 0.1
    assert joints_mm[..., 2].min() > -25 and np.abs(np.diff(joints_mm, axis=1)).max() > 1
    with pytest.raises(DataError):
        write_movement_bank(tmp_path / "none.npz", infants=0, seed=4)
    habits = Mixture({"habits": 1.0}, {})
    first, other = (movement_of_infant(seed, habits, 0).joints_mm for seed in (4, 5))
    assert np.array_equal(first, joints_mm[0]) and not np.allclose(first, other)


def test_camera_effects_keep_geometry_and_set_exposure():
    rng = np.random.default_rng(1)
    linear = np.full((40, 60, 3), 0.2, np.float32)
    linear[:, 30:] = 0.8
    for seed in range(5):
        effects = CameraEffects.draw(np.random.default_rng(seed))
        picture = effects.develop(rng, linear, effects.gains(linear)).astype(float)
        assert picture.shape == linear.shape
        assert picture[:, 35:].mean() > picture[:, :25].mean() + 20
        edge = np.abs(np.diff(picture.mean(axis=(0, 2))))
        assert 28 <= edge.argmax() <= 30


def test_sheets_differ_and_stay_physical():
    xy = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 40), np.linspace(-0.4, 0.4, 30)), -1)
    sheets = [sheet_albedo(np.random.default_rng(seed), xy) for seed in range(40)]
    assert all(((sheet > 0) & (sheet < 1)).all() for sheet in sheets)
    means = np.stack([sheet.mean(axis=(0, 1)) for sheet in sheets])
    assert len(np.unique(means.round(3), axis=0)) == 40


def test_profiles_have_their_own_seeds():
    seeds = [profile.seed for profile in PROFILES.values()]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_labels_are_those_of_this_version_of_the_generator_on_any_machine(profile):
    stored = json.loads(generator_labels.FILE.read_text())[profile]
    for name, values in generator_labels.first_frame(profile).items():
        assert np.abs(values - stored[name]).max() < 0.01
