"""The command line: fast help, one-line errors, exit codes, and what a failure leaves behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from Engine.provenance import file_sha256
from PoseEstimation.cli import build_parser, main, parse
from PoseEstimation.visualise.video import VideoWriter

COMMANDS = (
    *("predict", "demo", "evaluate", "train", "synth"),
    *("render", "verify", "crops", "doctor", "import"),
)
HEAVY = ("torch", "lightning", "matplotlib", "av", "scipy", "jsonargparse")


def photo(path: Path, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def video(path: Path, frames: int = 40) -> Path:
    with VideoWriter(path, quality=10) as writer:
        for i in range(frames):
            pixels = np.random.default_rng(i).integers(0, 255, (48, 64, 3), dtype=np.uint8)
            writer.write(Image.fromarray(pixels), i / 25)
    return path


def cut_in_half(path: Path) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def one_error_line(capsys, code: int) -> str:
    """Return the only line on stderr of a refusal."""
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line]
    assert code == 2 and len(lines) == 1 and lines[0].startswith("infantpose: error: "), captured
    return lines[0]


@pytest.mark.parametrize("arguments", [[], *([command] for command in COMMANDS)])
def test_help_is_fast_and_light(arguments):
    code = (
        "import sys, time; start = time.process_time()\n"
        "from PoseEstimation.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert end.code == 0\n"
        f"heavy = [name for name in {HEAVY} if name in sys.modules]\n"
        "print(heavy, time.process_time() - start, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    heavy, seconds = done.stderr.rsplit(" ", 1)
    assert heavy == "[]" and float(seconds) < 0.5
    assert "usage: infantpose" in done.stdout


def test_module_and_script_are_the_same_command():
    done = subprocess.run(
        [sys.executable, "-m", "PoseEstimation", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "infantpose" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["predict"], "INPUT"),
        (["frobnicate"], "frobnicate"),
        (["predict", "a.jpg", "--output", "o", "--format", "xml"], "xml"),
        (["predict", "a.jpg", "--output", "o", "--fov", "400"], "400"),
        (["predict", "a.jpg", "--output", "o", "--length-cm", "tall"], "tall"),
        (["demo", "--frames", "0"], "'0'"),
        (["train", "everything"], "everything"),
    ],
)
def test_usage_errors_are_one_line(capsys, arguments, named):
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args(arguments)
    assert named in one_error_line(capsys, stop.value.code)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["predict", "absent"], "absent does not exist"),
        (["predict", "*.gif"], "*.gif"),
        (["predict", "notes.txt"], "notes.txt"),
        (["predict", "a.jpg", "--weights", "absent"], "absent does not exist"),
        (["predict", "a.jpg", "--intrinsics", "notes.txt"], "notes.txt is not valid JSON"),
        (["predict", "a.jpg", "--coco-annotations", "c.json"], "c.json does not list a.jpg"),
        (["predict", "a.jpg", "--set", "predict.fow=3"], "predict.fow"),
        (["predict", "a.jpg", "--output", "a.jpg"], "a.jpg is a file"),
    ],
)
def test_refused_before_any_work(tmp_path, monkeypatch, capsys, config, arguments, named):
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "a.jpg")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "c.json").write_text('{"images": [{"id": 3, "file_name": "b.jpg"}]}')
    code = main(["predict", "--output", "out", *arguments[1:], "--config", str(config)])
    assert named in one_error_line(capsys, code)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["verify", "render", "evaluate"])
def test_missing_data_folder_is_named(tmp_path, capsys, config, command):
    more = ["--config", str(config), "--output", str(tmp_path)] if command == "evaluate" else []
    code = main([command, "mini_rgbd", "--root", str(tmp_path / "absent"), *more])
    assert "absent" in one_error_line(capsys, code)


@pytest.mark.parametrize("fault", ["sha256", "pickle"])
def test_bad_weights_are_refused(tmp_path, capsys, tiny_weights, fault):
    folder = tmp_path / "SavedModels" / "tiny"
    folder.mkdir(parents=True)
    for file in (tiny_weights / "tiny").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    target = folder / "heatmap.safetensors"
    if fault == "sha256":
        (folder.parent / "index.yaml").write_text("tiny: {sha256: {heatmap.safetensors: abc}}")
    else:
        torch.save({"a": torch.zeros(1)}, target)
    source = str(photo(tmp_path / "a.jpg"))
    code = main(["predict", source, "--weights", str(folder), "--output", str(tmp_path / "o")])
    line = one_error_line(capsys, code)
    assert str(target) in line and fault in line


@pytest.mark.parametrize("entry", ["tiny-research: {licence: only for study}", "other: {}"])
def test_terms_of_research_weights_are_said_once(tmp_path, capsys, tiny_weights, entry):
    folder = tmp_path / "SavedModels" / "tiny-research"
    shutil.copytree(tiny_weights / "tiny", folder)
    (folder.parent / "index.yaml").write_text(entry)
    sources = [str(photo(tmp_path / f"{name}.jpg")) for name in "ab"]
    assert main(["predict", *sources, "--weights", str(folder), "--output", str(tmp_path)]) == 0
    expected = "only for study" if "study" in entry else "research only, non-commercial"
    said = capsys.readouterr().err.splitlines()
    assert said.count(f"infantpose: tiny-research: {expected}; see MODEL_CARD.md") == 1


def test_weights_with_other_terms_are_named_and_not_taken(tmp_path, capsys, tiny_weights):
    saved = tmp_path / "SavedModels"
    for name in ("tiny", "tiny-research"):
        shutil.copytree(tiny_weights / "tiny", saved / name)
    digests = {path.name: file_sha256(path) for path in (saved / "tiny").glob("*.safetensors")}
    index = {"tiny-research": {"licence": "only study", "sha256": digests}}
    (saved / "index.yaml").write_text(json.dumps(index))
    config = tmp_path / "c.yaml"
    config.write_text(f"weights: tiny\npaths: {{saved_models: {saved}}}\n")
    source = str(photo(tmp_path / "a.jpg"))
    assert main(["predict", source, "--config", str(config), "--output", str(tmp_path / "o")]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "only study" in line]
    assert len(said) == 1 and "--weights tiny-research" in said[0]
    assert load(tmp_path / "o")["model"]["name"] == "tiny"


def predict(config: Path, output: Path, *inputs: Path | str, more: tuple[str, ...] = ()) -> int:
    return main(
        ["predict", *map(str, inputs), "--config", str(config), "--output", str(output), *more]
    )


def load(output: Path) -> dict:
    return json.loads((output / "poses.json").read_text(), parse_constant=pytest.fail)


def test_one_bad_photo_among_ten(tmp_path, capsys, config):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(10):
        photo(folder / f"{i}.png", i)
    cut_in_half(folder / "3.png")
    code = predict(config, tmp_path / "out", folder)
    assert "3.png" in one_error_line(capsys, code)
    content = load(tmp_path / "out")
    assert content["complete"] is False and len(content["frames"]) == 10
    assert [i for i, f in enumerate(content["frames"]) if "error" in f] == [3]
    assert all(f["infants"] for i, f in enumerate(content["frames"]) if i != 3)
    assert len(list((tmp_path / "out" / "overlays").iterdir())) == 9
    assert content["quality"]["carer_present"] is False  # its detector looks for adults


def test_skipped_files_of_a_folder_are_named(tmp_path, capsys, config):
    folder = tmp_path / "photos"
    folder.mkdir()
    photo(folder / "a.png")
    (folder / "b.CR3").touch()
    assert predict(config, tmp_path / "out", folder, more=("--no-overlay",)) == 0
    named = f"infantpose: {folder}: 1 file (1 .cr3) skipped, no photo or video by name"
    assert named in capsys.readouterr().err.splitlines()


def test_text_named_jpg(tmp_path, capsys, config):
    (tmp_path / "a.jpg").write_text("hello")
    code = predict(config, tmp_path / "out", tmp_path / "a.jpg")
    assert "a.jpg is not a" in one_error_line(capsys, code)
    assert "error" in load(tmp_path / "out")["frames"][0]


def test_video_cut_after_its_index_keeps_the_frames_before(tmp_path, capsys, config):
    path = cut_in_half(video(tmp_path / "v.mp4"))  # VideoWriter writes the index first
    code = predict(config, tmp_path / "out", path)
    assert "of 40 frames" in one_error_line(capsys, code)
    content = load(tmp_path / "out")
    *good, last = content["frames"]
    assert len(good) > 5 and all("error" not in f for f in good) and "error" in last
    assert content["complete"] is False
    assert (tmp_path / "out" / "overlays" / "v.mp4").is_file()


def test_video_cut_before_its_index_is_refused(tmp_path, capsys, config):
    path = video(tmp_path / "v.mp4")
    data = path.read_bytes()
    start = data.index(b"moov")
    size = int.from_bytes(data[start - 4 : start], "big")
    path.write_bytes((data[: start - 4] + data[start - 4 + size :])[: len(data) // 2])
    code = predict(config, tmp_path / "out", path)
    assert "v.mp4" in one_error_line(capsys, code)
    assert load(tmp_path / "out")["complete"] is False


def test_unexpected_failures_exit_1_and_debug_shows_them(tmp_path, capsys, monkeypatch, config):
    monkeypatch.setattr("PoseEstimation.commands.predict.expand_inputs", lambda _: 1 / 0)
    arguments = ["predict", "a.jpg", "--config", str(config), "--output", str(tmp_path)]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "ZeroDivisionError" in error and "--debug" in error
    with pytest.raises(ZeroDivisionError):
        main([*arguments, "--debug"])


def test_stopping_writes_what_was_done(tmp_path, capsys, monkeypatch, config):
    from PoseEstimation.inference import predict as module

    real, path = module.iter_frames, video(tmp_path / "v.mp4", 20)

    def interrupted(source):
        for frame in real(source):
            if frame.index == 12:
                raise KeyboardInterrupt
            yield frame

    monkeypatch.setattr(module, "iter_frames", interrupted)
    assert predict(config, tmp_path / "out", path) == 1
    assert "stopped" in capsys.readouterr().err
    content = load(tmp_path / "out")
    assert content["complete"] is False and 8 <= len(content["frames"]) <= 12


def test_doctor_reports_the_weights(capsys, config):
    assert main(["doctor", "--config", str(config)]) == 0
    output = capsys.readouterr().out
    for expected in ("torch ", "torchvision.ops.nms  works", "H.264", "sha256 as in index.yaml"):
        assert expected in output


def test_doctor_fails_without_weights(capsys, config):
    assert main(["doctor", "--config", str(config), "--set", "weights=absent"]) == 1
    assert "1 problems: weights" in capsys.readouterr().out


def test_what_help_names_is_what_there_is():
    for command in COMMANDS:
        module = import_module(f"PoseEstimation.commands.{command}")
        assert callable(module.run)


def test_a_home_that_the_shell_left_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse(["predict", "a.jpg", "--output=~/x"]).output == tmp_path / "x"
