"""What lifters are measured with: infants of known movement, known proportions, a known lifter."""

import json
from dataclasses import replace

import numpy as np
import pytest

from Datasets.geometry.alignment import root_relative
from Datasets.geometry.camera import project
from Datasets.profiles import generate, profile_named
from Datasets.readers.mini_rgbd import INTRINSICS
from Datasets.skeletons import INFANT
from PoseEstimation.models.configs import ClipLifterSettings
from report.build.lifter_tables import FULL, lifter_tables
from report.build.summary import Results
from report.experiments import lifter, lifter_measures, lifter_tracks
from report.experiments.__main__ import main
from report.experiments.lifter_measures import CASES, ELDER, PROPORTIONS, REAL, SIDES
from report.experiments.movement_statistics import JOINTS, Track


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Labels of a few frames of SynthInfant-2: three infants, and one that moves as none does."""
    root = tmp_path_factory.mktemp("labels")
    names = ("01", "02", "03", "04")
    generate(profile_named("synthinfant2"), root, names, 6, labels_only=True, fps=30.0)
    return root


@pytest.fixture(scope="module")
def infants(labels):
    return lifter_measures.read_infants(labels)[0]


class Oracle:
    """Answers with the truth, a share larger, and says how sure it is."""

    def __init__(self, infants, scale=1.0, sigma_mm=1.0):
        self.truth = {
            lifter_measures.observed(infant, case).keypoints_px.tobytes(): clip
            for infant in infants
            for case in CASES.values()
            for clip in [lifter_measures.observed(infant, case)]
        }
        self.scale, self.sigma_mm = scale, sigma_mm

    def __call__(self, track):
        clip = self.truth[track.keypoints.keypoints_px.tobytes()]
        joints = root_relative(clip.joints_mm, INFANT.root_index) * self.scale
        return joints, np.full(joints.shape[:2], self.sigma_mm)


def test_infants_know_whether_their_movement_may_be_trained_on(infants):
    assert [infant.seen for infant in infants].count(False) == 1
    assert all(len(infant.joints_mm) == 6 for infant in infants)


@pytest.mark.parametrize("shares", [ELDER, REAL])
def test_bodies_get_the_proportions_and_keep_directions(infants, shares):
    joints = infants[0].joints_mm
    resized = lifter_measures.with_proportions(joints, shares)
    trunk = lifter_measures._trunk(resized)
    for row, share in zip(PROPORTIONS, shares, strict=True):
        lengths = [
            np.linalg.norm(np.subtract(*(resized[:, INFANT.index(e)] for e in ends)), axis=-1)
            for ends in ([e.replace("*", side) for e in row.ends] for side in SIDES)
        ]
        assert np.median(lengths) / trunk == pytest.approx(share, rel=0.03)
    knee, hip = INFANT.index("left_knee"), INFANT.index("left_hip")
    before, after = (j[:, knee] - j[:, hip] for j in (joints, resized))
    cosine = (before * after).sum(-1) / np.linalg.norm(before, axis=-1)
    np.testing.assert_allclose(cosine / np.linalg.norm(after, axis=-1), 1)


def test_the_truth_is_0_mm_away_and_a_larger_body_moves_faster(infants):
    exact = lifter_measures.accuracy(Oracle(infants), infants)
    larger = lifter_measures.accuracy(Oracle(infants, 1.1), infants)
    for case in CASES:
        np.testing.assert_allclose(exact[case]["ajpe_mm"], 0, atol=1e-9)
        np.testing.assert_allclose(exact[case]["speed_ratio"], 1)
        np.testing.assert_allclose(larger[case]["speed_ratio"], 1.1)
        assert min(larger[case]["ajpe_mm"]) > 5
        np.testing.assert_allclose(larger[case]["scaled_mm"], 0, atol=1e-9)
        np.testing.assert_allclose(larger[case]["aligned_mm"], 0, atol=1e-9)


def test_few_joints_are_seen_and_all_are_asked_for(infants):
    clip = lifter_measures.observed(infants[0], CASES["14 joints"])
    assert clip.scores.sum(-1).tolist() == [14.0] * 6
    assert np.isfinite(clip.joints_mm[:, INFANT.index("left_wrist")]).all()


class Rigid:
    """A lifter that knows the one body that a track shows, whichever way up it is."""

    def __init__(self, camera_mm):
        self.camera_mm = camera_mm

    def __call__(self, track):
        relative = root_relative(self.camera_mm, INFANT.root_index)
        upside_down = track.intrinsics[0, 0, 2] != INTRINSICS[0, 2]
        return relative * ([-1, -1, 1] if upside_down else [1, 1, 1]), None


def test_a_body_on_its_rays_passes_every_check_of_tracks():
    rng = np.random.default_rng(3)
    camera_mm = rng.normal(0, 100, (1, len(INFANT), 3)) * [1, 1, 0.1] + [0, 0, 900]
    camera_mm = np.repeat(camera_mm, 5, axis=0)
    pixels = project(camera_mm, INTRINSICS)[:, lifter_tracks.GIVEN]
    assert pixels.shape[1] == len(JOINTS)
    found = lifter_tracks.checked(Rigid(camera_mm), Track(pixels, 30.0))
    assert found["reprojection_px"] < 1e-6 and found["turned_mm"] == 0
    assert found["bone_change"] < 1e-9
    assert set(found["bones"]) == set(lifter_tracks.BONES)
    moved = camera_mm.copy()
    towards = moved[:, INFANT.index("left_fingers")] - [0, 0, 300.0]
    moved[:, INFANT.index("left_fingers")] = towards
    lifted = lifter_tracks._heights(root_relative(moved, INFANT.root_index))
    level = lifter_tracks._heights(root_relative(camera_mm, INFANT.root_index))
    assert (lifted[0] - level[0] > 200).all() and np.allclose(lifted[1], level[1])


TINY = ["--limit=2", "--frames=3", "--infants=1", "--steps=1", "--workers=1"]


@pytest.fixture(scope="module")
def compared(labels, tmp_path_factory):
    """Folder of two tiny lifters, one of them of bodies of one kind."""
    output = tmp_path_factory.mktemp("compared")
    network = ClipLifterSettings(width=16, frame_blocks=1, dilations=(1,))
    clips = replace(lifter.CLIPS, network=network, batch_size=2, runs=1, frames=5, num_workers=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifter, "CLIPS", clips)
        patch.setattr(lifter, "VARIANTS", lifter.VARIANTS[:2])
        patch.setattr(lifter, "VALIDATION_INFANTS", 1)
        patch.setattr("Datasets.synthetic.profiles.movement_bank.FRAMES", 12)
        assert main(["lifter", f"--labels={labels}", f"--output={output}", *TINY]) == 0
        stages = [path.stat().st_mtime_ns for path in output.rglob("*.safetensors")]
        assert main(["lifter", f"--labels={labels}", f"--output={output}", *TINY]) == 0
        assert stages == [path.stat().st_mtime_ns for path in output.rglob("*.safetensors")]
    return output


def test_variants_are_trained_once_measured_and_shown(compared, labels, tmp_path):
    record = json.loads((compared / "lifter.json").read_text())
    names = [row["name"] for row in record["rows"]]
    assert names == [FULL, lifter.VARIANTS[1].name, lifter.UNBOUND]
    assert str(compared) not in record["command"] and str(labels) not in record["command"]
    full, _, unbound = record["rows"]
    assert full["weights_sha256"] == unbound["weights_sha256"]
    assert full["cases"] != unbound["cases"]
    accuracy, differences = lifter_tables(record)
    assert len(accuracy.rows) == 3 * len(CASES) and len(differences.rows) == 2 * len(CASES)
    assert differences.rows[0][-1] == "-"  # no infant of unseen movement among the first two
    (tmp_path / "ablation.json").write_text(json.dumps(record))
    assert Results(tmp_path).lifters["ablation"]["rows"][0]["name"] == FULL


def test_elder_bodies_move_as_the_others_do(compared):
    banks = [np.load(compared / f"banks/{name}/{lifter.BANK}") for name in ("all", "elder")]
    assert (banks[0]["age_weeks"] == banks[1]["age_weeks"]).all()
    thighs = [
        lifter_measures._distance(b["joints_mm"][0], ("left_hip", "left_knee")) for b in banks
    ]
    trunks = [lifter_measures._trunk(bank["joints_mm"][0]) for bank in banks]
    assert np.median(thighs[1]) / trunks[1] == pytest.approx(ELDER[1], rel=0.03)


def test_weights_alone_are_measured_with_their_error_bars(compared, labels, tmp_path):
    weights = compared / "lifters" / FULL / "lifter.safetensors"
    options = [f"--labels={labels}", "--limit=2", "--frames=3", f"--output={tmp_path}"]
    assert main(["lifter", f"--weights={weights}", *options]) == 0
    record = json.loads((tmp_path / "lifter.json").read_text())
    (row,) = record["rows"]
    assert [len(shares) for shares in row["coverage"].values()] == [2] * 5
    titles = [table.title for table in lifter_tables(record)]
    assert titles[1] == "lifter: joints within 90 % error bars, %" and len(titles) == 2


def test_labels_without_a_source_are_refused(labels, tmp_path, capsys):
    (tmp_path / "01").mkdir()
    assert main(["lifter", f"--labels={tmp_path}", f"--output={tmp_path / 'out'}"]) == 2
    assert "names no source of movement" in capsys.readouterr().err
