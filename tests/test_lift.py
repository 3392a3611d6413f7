"""``infantpose lift``: files of other programs in, ``poses.json`` and ``poses.csv`` out."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from foreign_files import SIZE, WRITERS, clip, deeplabcut, mediapipe, npz, wide, write_json

from Datasets.skeletons import COCO_17, INFANT
from Engine.errors import DataError
from PoseEstimation.cli import main
from PoseEstimation.inference.camera import Camera
from PoseEstimation.inference.settings import BodySize, PredictSettings
from PoseEstimation.io.poses_json import read_poses_json

REPOSITORY = Path(__file__).parent.parent


def lift(config, output, *inputs, more=()) -> int:
    arguments = ["lift", *map(str, inputs), "--output", str(output), "--config", str(config)]
    return main([*arguments, *more])


SIZED = ("--size", f"{SIZE[0]}x{SIZE[1]}")


@pytest.fixture
def camera(tmp_path) -> tuple[str, str]:
    values = {"fx": 600, "fy": 600, "cx": 319.5, "cy": 239.5}
    return "--intrinsics", str(write_json(tmp_path / "k.json", values))


def test_one_clip_is_lifted_alike_from_every_format(tmp_path, capsys, config, camera):
    """Also from the ``poses.json`` and ``poses.csv`` that were written, which round."""
    lifted = {}
    for write in WRITERS:
        path = write(tmp_path, clip())
        assert lift(config, tmp_path / "out", path, more=(*camera, *SIZED)) == 0
        lifted[write.__name__] = read_poses_json(tmp_path / "out" / "poses.json")
    for name in ("poses.json", "poses.csv"):
        (tmp_path / name).write_bytes((tmp_path / "out" / name).read_bytes())
        more = (*camera, *SIZED, "--sigma-px", "1")
        assert lift(config, tmp_path / "again", tmp_path / name, more=more) == 0
        lifted[name] = read_poses_json(tmp_path / "again" / "poses.json")
    first = lifted["deeplabcut"]
    assert first.complete and first.joints_mm.shape == (4, 1, 25, 3)
    assert np.isfinite(first.joints_mm).all()
    for result in lifted.values():
        np.testing.assert_allclose(result.joints_mm, first.joints_mm, atol=0.01)
        assert [f.time_s for f in result.frames] == pytest.approx(
            [0, 1 / 30, 2 / 30, 0.1], abs=1e-6
        )


def test_what_is_printed_and_written(tmp_path, capsys, config, camera):
    path = deeplabcut(tmp_path, clip())
    output = tmp_path / "out"
    more = ("--age-weeks", "-3.5", "--length-cm", "52")
    assert lift(config, output, path, more=(*camera, *more)) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{path}: DeepLabCut CSV"
    table = [line.split() for line in printed[1:26]]
    assert table[:2] == [["nose", "nose"], ["left_eye", "left_eye"]]
    assert ["missing", "pelvis"] in table and len(table) == 25
    assert "infant 1: 4 frames, reprojection residual" in printed[26]
    assert "ASSUMED: 30 frames per second (--fps) and joints exact to 1 px" in printed[27]
    content = json.loads((output / "poses.json").read_text(), parse_constant=pytest.fail)
    said = content["assumptions"]
    assert said["age_weeks"] == -3.5 and said["scale_source"].endswith("52 cm")
    assert said["field_of_view_source"] == "given intrinsics"
    (recording,) = said["recordings"].values()
    assert recording["joints_given"] == {name: name for name in COCO_17.joints}
    assert "ASSUMED" in recording["fps_source"] and "ASSUMED" in recording["sigma_source"]
    assert list(content["model"]["sha256"]) == ["lifter.safetensors"]
    (row,) = content["quality"]["reprojection"]
    assert row["frames"] == 4 and row["mean_px"] > 0 and row["share_of_trunk"] > 0
    (infant,) = content["frames"][1]["infants"]
    left_wrist = INFANT.index("left_wrist")
    assert infant["keypoints_px"][left_wrist] == [None, None]
    assert infant["keypoint_scores"][left_wrist] == 0
    assert None not in infant["joints_mm"][left_wrist]
    with (output / "poses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 25 and {row["track_id"] for row in rows} == {"1"}


def test_a_given_length_scales(tmp_path, config, camera):
    path, sizes = deeplabcut(tmp_path, clip()), {}
    for length in ("50", "60"):
        assert lift(config, tmp_path / "o", path, more=(*camera, "--length-cm", length)) == 0
        (track,) = np.swapaxes(read_poses_json(tmp_path / "o" / "poses.json").joints_mm, 0, 1)
        sizes[length] = track
    np.testing.assert_allclose(sizes["60"], sizes["50"] * 1.2, atol=0.01)


def test_a_predictor_that_only_lifts_finds_nobody(tiny_weights):
    from PoseEstimation.inference.predictor import Predictor

    predictor = Predictor.lifting(tiny_weights / "tiny", PredictSettings(device="cpu"))
    assert predictor.skeleton == INFANT
    with pytest.raises(DataError, match="finds people"):
        predictor.find([], Camera())
    with pytest.raises(DataError, match="needs what"):
        Predictor(None)


@pytest.mark.parametrize("wrong", [{"length_cm": 20.0}, {"age_weeks": 500.0}])
def test_a_body_size_beyond_its_limits_is_refused(wrong):
    with pytest.raises(DataError, match=next(iter(wrong))):
        BodySize(**wrong)


def test_several_infants_and_several_files(tmp_path, capsys, config, camera):
    values = np.stack([clip(6, 0), clip(6, 1)], axis=1)
    points = {"keypoints_px": values[..., :2], "scores": values[..., 2]}
    np.savez(tmp_path / "twins.npz", names=np.array(COCO_17.joints), fps=np.array(25), **points)
    single = wide(tmp_path, clip(6, 1))
    output = tmp_path / "out"
    assert lift(config, output, tmp_path / "twins.npz", single, more=camera) == 0
    result = read_poses_json(output / "poses.json")
    assert result.track_ids == (1, 2) and len(result.frames) == 12
    twin, alone = result.joints_mm[:6, 1], result.joints_mm[6:, 0]
    np.testing.assert_allclose(twin, alone, atol=0.01)  # one infant costs the other nothing
    printed = capsys.readouterr().out
    assert printed.count("reprojection residual") == 4 and "mean of 3 infants" in printed
    assert printed.count("left_shoulder") == 2  # the table of names stands once


def test_a_map_file_names_what_is_not_guessed(tmp_path, capsys, config, camera):
    names = [name.replace("ankle", "foot").replace("wrist", "hand") for name in COCO_17.joints]
    np.savez(tmp_path / "a.npz", keypoints_px=clip()[..., :2], names=np.array(names))
    assert lift(config, tmp_path / "o", tmp_path / "a.npz", more=camera) == 0
    assert ["left_foot", "unused"] in map(str.split, capsys.readouterr().out.splitlines())
    (tmp_path / "map.yaml").write_text("left_foot: left_ankle\nleft_hand: left_fingers\n")
    more = (*camera, "--map", str(tmp_path / "map.yaml"))
    assert lift(config, tmp_path / "o", tmp_path / "a.npz", more=more) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["left_foot", "left_ankle"] in rows and ["left_hand", "left_fingers"] in rows
    (infant,) = read_poses_json(tmp_path / "o" / "poses.json").frames[0].infants
    at, theirs = INFANT.index("left_ankle"), COCO_17.index("left_ankle")
    assert infant.keypoints_px[at].tolist() == clip()[0, theirs, :2].tolist()


REFUSED = {
    "no size": ("dlc.csv", "its pictures is unknown; give --size"),
    "an absent set": ("dlc.csv --size 64x48 --weights absent", "absent does not exist"),
    "an absent map": ("dlc.csv --size 64x48 --map absent.yaml", "absent.yaml does not exist"),
    "a strange name": ("dlc.csv --size 64x48 --map m.yaml", "no file has a joint 'head'"),
    "an output": ("dlc.csv --size 64x48 --output dlc.csv", "dlc.csv is a file"),
    "a file twice": ("dlc.csv dlc.csv --size 64x48", "stands 2 times"),
    "another file": ("dlc.csv notes.txt --size 64x48", "none of the known formats"),
    "a setting": ("dlc.csv --size 64x48 --set predict.fow=3", "predict.fow"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_any_work(tmp_path, monkeypatch, capsys, config, case):
    monkeypatch.chdir(tmp_path)
    deeplabcut(tmp_path, clip())
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "m.yaml").write_text("head: nose\n")
    words, said = REFUSED[case]
    assert main(["lift", "--output", "out", "--config", str(config), *words.split()]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("infantpose: error: ") and said in lines[0]
    assert not (tmp_path / "out").exists()


def test_everything_is_checked_without_torch(tmp_path, config):
    path = deeplabcut(tmp_path, clip())
    code = (
        "import sys; from PoseEstimation.cli import main; code = main(sys.argv[1:])\n"
        "assert code == 2 and 'torch' not in sys.modules, sys.modules.keys()"
    )
    arguments = ["lift", path, "--config", config, *SIZED, "--output", path]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "is a file; name a folder" in done.stderr, done.stderr


@pytest.mark.parametrize("option", [["--size", "640"], ["--fps", "0"], ["--age-weeks", "old"]])
def test_options_that_are_none_are_refused(tmp_path, capsys, option):
    with pytest.raises(SystemExit) as stop:
        main(["lift", "a.csv", "--output", str(tmp_path), *option])
    assert stop.value.code == 2 and option[1] in capsys.readouterr().err


def test_an_output_never_replaces_its_input(tmp_path, capsys, config, camera):
    assert lift(config, tmp_path, deeplabcut(tmp_path, clip()), more=camera) == 0
    assert lift(config, tmp_path, tmp_path / "poses.json", more=camera) == 2
    assert "would replace the input" in capsys.readouterr().err


def test_landmarks_need_the_size_and_a_field_of_view_is_assumed(tmp_path, capsys, config):
    path = mediapipe(tmp_path, clip())
    assert lift(config, tmp_path / "o", path) == 2
    assert "give --size WxH" in capsys.readouterr().err
    assert lift(config, tmp_path / "o", path, more=SIZED) == 0
    assert "ASSUMED: field of view 60 degrees (--fov)" in capsys.readouterr().out
    assert lift(config, tmp_path / "o", path, more=(*SIZED, "--fov", "50", "--format", "coco")) == 0
    assert len(json.loads((tmp_path / "o" / "coco_keypoints.json").read_text())) == 4


def test_what_cannot_be_lifted_is_an_error(tmp_path, capsys, config, camera, monkeypatch):
    from PoseEstimation.inference.lifting import ClipLifting

    real = ClipLifting.__call__

    def fails(self, track):
        if track.keypoints.keypoints_px.shape[0] and track.keypoints.scores.max() < 0.5:
            raise ValueError("no pose")
        return real(self, track)

    monkeypatch.setattr(ClipLifting, "__call__", fails)
    values = clip()
    values[2, :, 2] = 0.4
    path = npz(tmp_path, values)
    assert lift(config, tmp_path / "o", path, more=camera) == 0  # part of a clip that succeeds
    values[..., 2] = 0.4
    assert lift(config, tmp_path / "o", npz(tmp_path, values), more=camera) == 2
    assert "ValueError: no pose" in capsys.readouterr().err
    assert not json.loads((tmp_path / "o" / "poses.json").read_text())["complete"]


MINI_RGBD_14 = """
head: nose
neck: upper_neck
left_hand: left_fingers
right_hand: right_fingers
left_foot: left_ankle
right_foot: right_ankle
"""


def test_tracks_of_real_infants(tmp_path, capsys):
    root = os.environ.get("INFANTPOSE_REAL_DATA")
    tracks = Path(root or "absent") / "mini_rgbd_tracks" / "tracks.npz"
    if not tracks.is_file():
        pytest.skip("INFANTPOSE_REAL_DATA names no mini_rgbd_tracks/tracks.npz")
    with np.load(tracks) as arrays:
        joints, points = arrays["joints"], arrays["keypoints_px_01"][:60]
    np.savez(tmp_path / "a.npz", joints=joints, keypoints_px_01=points, fps=np.array(30))
    (tmp_path / "map.yaml").write_text(MINI_RGBD_14)
    values = {"fx": 588.68, "fy": 590.26, "cx": 322.22, "cy": 237.47, "width": 640, "height": 480}
    write_json(tmp_path / "k.json", values)
    arguments = ["lift", str(tmp_path / "a.npz"), "--map", str(tmp_path / "map.yaml")]
    weights = f"--weights={REPOSITORY / 'SavedModels' / 'infant-synthetic'}"
    more = ["--intrinsics", str(tmp_path / "k.json"), "--output", str(tmp_path), weights]
    config = f"--config={REPOSITORY / 'config.yaml'}"
    assert main([*arguments, *more, config, "--sigma-px", "0.3"]) == 0
    content = json.loads((tmp_path / "poses.json").read_text())
    assert content["complete"] and content["quality"]["frames_with_infant"] == 60
    (row,) = content["quality"]["reprojection"]
    # a lifter that follows its input stays far within a limb's length, whatever its training
    assert row["frames"] == 60 and row["share_of_trunk"] < 0.2
    joints_mm = read_poses_json(tmp_path / "poses.json").joints_mm[:, 0]
    fingers, nose = INFANT.index("left_fingers"), INFANT.index("nose")
    assert np.isfinite(joints_mm).all()
    seen_px = points[:, list(joints).index("left_hand")] - points[:, list(joints).index("head")]
    in_3d = joints_mm[:, fingers, :2] - joints_mm[:, nose, :2]
    assert (np.sign(seen_px) == np.sign(in_3d))[np.abs(seen_px) > 40].mean() > 0.9
