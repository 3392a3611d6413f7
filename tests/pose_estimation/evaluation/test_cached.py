"""A lifter is scored on cached detections as it would be on the frames themselves."""

import numpy as np
import pytest

from Datasets.geometry.alignment import root_relative
from Datasets.skeletons import INFANT, MINI_RGBD_25, MPII_16
from Datasets.skeletons.mini_rgbd import PUBLISHED_16, ZEDO_17
from Engine.errors import DataError
from PoseEstimation.evaluation import cached as module
from PoseEstimation.evaluation.cached import score_detections
from PoseEstimation.evaluation.errors_file import read_errors
from PoseEstimation.io.detection_cache import read_detections, save_detections
from PoseEstimation.stage_settings import ScoreSettings
from PoseEstimation.structures import Clip


class Shifted:
    """Lifts to the truth, every joint but the root off by 7 mm."""

    def __init__(self, skeleton, truth_mm):
        self.skeleton, self.truth_mm, self.seen = skeleton, truth_mm, []

    def __call__(self, track):
        self.seen.append((track.keypoints, track.times_s))
        joints_mm = root_relative(self.truth_mm, self.skeleton.root_index).copy()
        off = np.arange(len(self.skeleton)) != self.skeleton.root_index
        joints_mm[:, off, 2] += 7
        return joints_mm, np.ones(joints_mm.shape[:2])


@pytest.fixture
def clip_of(make_poses):
    def make(skeleton):
        keypoints_px, joints_mm = (values[:, : len(skeleton)] for values in make_poses(5))
        one = np.ones((5, len(skeleton)))
        camera = np.broadcast_to(np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), (5, 3, 3))
        return Clip(keypoints_px, one, one, 3 * one, joints_mm, camera)

    return make


@pytest.mark.parametrize(
    ("skeleton", "kind", "joints"),
    [(INFANT, "ellershaw", PUBLISHED_16), (MINI_RGBD_25, "zedo", ZEDO_17)],
)
def test_errors_are_those_of_the_protocols_joints(
    skeleton, kind, joints, clip_of, tmp_path, monkeypatch
):
    clip = clip_of(skeleton)
    path = tmp_path / "observed.npz"
    save_detections(path, clip, ["11"] * 5, range(3, 8), skeleton)
    lifting = Shifted(skeleton, clip.joints_mm)
    monkeypatch.setattr(module, "load_lifter", lambda file: lifting)
    scores = score_detections(ScoreSettings(path, path, joints=kind, depths=False), tmp_path)
    errors = read_errors(tmp_path)
    assert errors.joints == joints and errors.frames.tolist() == [3, 4, 5, 6, 7]
    root = [joint == "pelvis" for joint in joints]
    assert errors.errors_mm[:, root] == pytest.approx(0)
    assert np.delete(errors.errors_mm, np.flatnonzero(root), 1) == pytest.approx(7, abs=1e-3)
    assert scores["ajpe_mm"] == pytest.approx(7 * (1 - 1 / len(joints)), abs=1e-3)
    found, times_s = lifting.seen[0]
    assert np.isnan(found.depth_px).all() and times_s == pytest.approx(np.arange(3, 8) / 30)


def test_a_lifter_of_fewer_joints_gets_those_that_it_knows(clip_of, tmp_path, monkeypatch):
    clip = clip_of(INFANT)
    path = tmp_path / "observed.npz"
    save_detections(path, clip, ["11"] * 5, range(5), INFANT)
    places = module._places(PUBLISHED_16, INFANT)
    lifting = Shifted(MPII_16, clip.joints_mm[:, places])
    monkeypatch.setattr(module, "load_lifter", lambda file: lifting)
    score_detections(ScoreSettings(path, path, temporal=False), tmp_path)
    (found, times_s), errors = lifting.seen[0], read_errors(tmp_path)
    assert found.keypoints_px == pytest.approx(clip.keypoints_px[:, places], abs=1e-3)
    assert times_s is None and np.nanmax(errors.errors_mm) == pytest.approx(7, abs=1e-3)
    with pytest.raises(DataError, match="lacks spine"):
        module._places(ZEDO_17, INFANT)


def test_what_was_saved_is_read_by_sequence(clip_of, tmp_path):
    clip, path = clip_of(INFANT), tmp_path / "observed.npz"
    save_detections(path, clip, ["2", "1", "1", "2", "2"], [0, 0, 1, 1, 2], INFANT)
    one, two = read_detections(path)
    assert (one.name, two.name) == ("1", "2") and two.frames.tolist() == [0, 1, 2]
    assert two.clip.joints_mm == pytest.approx(clip.joints_mm[[0, 3, 4]], rel=1e-6)
