"""The second benchmark: spread evenly, a quarter of it apart from everything to train from."""

import json

import numpy as np
import pytest

from Datasets.profiles import PROFILES as ROWS
from Datasets.readers.mini_rgbd import load_infant, load_labels, source_of
from Datasets.synthetic.capture.camera_effects import CameraEffects
from Datasets.synthetic.people.motion_sources import SOURCES
from Datasets.synthetic.people.phenotypes import LYING_INFANT, draw_body
from Datasets.synthetic.profiles.looks import LOOKS
from Datasets.synthetic.profiles.mini_rgbd import PROFILES, SYNTHINFANT_2, SequencePlan, generate


def plan(number):
    return SequencePlan("synthinfant2", 20262, f"{number:02d}", 5, 30.0)


def test_every_value_is_spread_evenly_over_the_sequences_and_age_rises():
    parts = [plan(number).parts() for number in range(1, 41)]
    for name in parts[0]:
        strata = sorted(int(40 * part[name]) for part in parts)
        assert strata == list(range(40)), name
    ages = [part["age"] for part in parts]
    assert ages == sorted(ages)
    thighs, shanks = ([part[name] for part in parts] for name in ("thigh", "shank"))
    assert abs(np.corrcoef(thighs, shanks)[0, 1]) < 0.5
    assert SequencePlan("mini_rgbd", 1, "01", 5, 30.0).parts() == {}


def test_a_quarter_moves_and_looks_as_no_other_profile_does():
    worlds = [plan(number).world for number in range(1, 41)]
    apart = [world for world in worlds if SOURCES[world.source].held_out]
    assert len(apart) == 10 and all(LOOKS[world.look].held_out for world in apart)
    others = [w for name, p in PROFILES.items() if name != SYNTHINFANT_2.name for w in p.worlds]
    others += [world for world in worlds if world not in apart]
    for world in others:
        assert not SOURCES[world.source].held_out and not LOOKS[world.look].held_out
    assert [row.name for row in ROWS if row.benchmark] == [SYNTHINFANT_2.name]
    assert [(row.count, row.frames) for row in ROWS if row.benchmark] == [(40, 250)]


def test_the_look_apart_has_values_that_the_usual_one_never_takes():
    rng = np.random.default_rng(0)
    shape = draw_body(rng, LYING_INFANT)
    usual, apart = (
        [(LOOKS[name].capture(rng), LOOKS[name].clothe(rng, shape)) for _ in range(20)]
        for name in ("bed", "play mat")
    )
    for value in ("target", "blur_px", "shot_noise", "read_noise", "gamma", "quality"):
        ranges = [[getattr(effects, value) for effects, _ in drawn] for drawn in (usual, apart)]
        assert min(ranges[1]) > max(ranges[0]) or max(ranges[1]) < min(ranges[0]), value
    periods = [
        [m.period_m for _, look in drawn for m in look.materials] for drawn in (usual, apart)
    ]
    assert min(periods[1]) > max(periods[0])
    assert all(look.names[0] == "nappy" for _, look in apart)
    assert isinstance(apart[0][0], CameraEffects)


def test_labels_alone_are_those_of_the_pictures(tmp_path):
    for folder, only in (("pictures", False), ("labels", True)):
        root = tmp_path / folder
        generate("synthinfant2", root, ("04",), frames=2, fps=1.0, labels_only=only)
    pictures, labels = (tmp_path / name / "04" for name in ("pictures", "labels"))
    for frame in range(2):
        for ours, theirs in zip(
            load_labels(labels, frame), load_labels(pictures, frame), strict=True
        ):
            assert np.array_equal(ours, theirs)
    assert load_infant(labels) == load_infant(pictures)
    assert source_of(labels) == "reaching"
    assert not (labels / "rgb").exists() and (pictures / "rgb").exists()
    assert (
        json.loads((tmp_path / "labels" / "generator.json").read_text())["name"] == "synthinfant2"
    )


def test_the_age_is_that_of_the_stratum(tmp_path):
    generate("synthinfant2", tmp_path, ("01", "40"), frames=1, labels_only=True)
    first, last = (load_infant(tmp_path / name)["age_weeks"] for name in ("01", "40"))
    assert 0 <= first < 0.75 and last == pytest.approx(29.6, abs=0.4)
