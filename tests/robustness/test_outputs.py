"""What a prediction writes: never over an input, never in vain, under any name."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_run import FakePredictor, request, shade

from Engine.errors import DataError
from PoseEstimation.inference.predict import predict
from PoseEstimation.io.poses_csv import read_name
from PoseEstimation.visualise.video import VideoWriter

NAMES = (
    b"umlaut \xc3\xa4.png",
    b"latin \xe4.png",
    b"quote ' \".png",
    b"new\nline.png",
    b"comma, semicolon; tab\t.png",
    b"baby \xf0\x9f\x91\xb6.png",
    b"escape \\udce4.png",
    b"escape \\u005c \\u000d.png",
    b"carriage\rreturn.png",
    b"-dash.png",
    b"latin video \xe4.mp4",
)


def in_place(folder: Path, name: str) -> Path:
    """An input that lies where the overlay of a file of this name would lie."""
    path = folder / "overlays" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mp4":
        with VideoWriter(path) as writer:
            writer.write(shade(3), 0)
    else:
        shade(3).save(path)
    return path


def refused(ask, *kept: Path) -> str:
    """The one line with which a request is refused before any work; nothing has changed."""
    before, predictor = [path.read_bytes() for path in kept], FakePredictor()
    with pytest.raises(DataError) as caught:
        predict(predictor, ask)
    assert [path.read_bytes() for path in kept] == before and predictor.seen == 0
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.jpg", "a.mp4"])
def test_an_overlay_never_replaces_its_own_photo_or_video(tmp_path, name):
    path = in_place(tmp_path, name)
    assert f"would replace the input {path}" in refused(request([path], tmp_path), path)


def test_an_overlay_never_replaces_an_input_behind_a_link(tmp_path):
    path = in_place(tmp_path / "out", "a.jpg")
    (tmp_path / "photos").symlink_to(path.parent)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "out")
    through = tmp_path / "photos" / "a.jpg"
    refused(request([through], tmp_path / "elsewhere" / ".." / "out"), path)


def test_an_overlay_never_replaces_an_input_behind_a_folder_that_is_yet_to_be_made(tmp_path):
    path = in_place(tmp_path / "out", "a.jpg")
    refused(request([path], tmp_path / "none" / ".." / "out"), path)
    assert not (tmp_path / "none").exists()


def test_an_overlay_never_replaces_an_input_of_another_case(tmp_path):
    """Where case does not count, both names are one file; so they are here, by a hard link."""
    path = in_place(tmp_path, "A.JPG")
    os.link(path, path.with_name("A.jpg"))
    refused(request([path], tmp_path), path)


def test_results_never_replace_what_else_was_given(tmp_path):
    (photo,) = [in_place(tmp_path / "in", "a.png")]
    given = tmp_path / "out" / "poses.json"
    given.parent.mkdir()
    given.write_text("{}")
    refused(request([photo], tmp_path / "out", other_inputs=[given]), given)


def test_an_overlay_of_another_file_is_renewed(tmp_path):
    first = in_place(tmp_path / "in", "a.png")
    for _ in range(2):
        predict(FakePredictor(), request([first], tmp_path / "out"))
    assert [p.name for p in (tmp_path / "out" / "overlays").iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("blocked", ["a file in the path", "a folder as result", "kernel"])
def test_an_output_that_cannot_be_written_is_refused_before_the_first_frame(tmp_path, blocked):
    photo, output = in_place(tmp_path / "in", "a.png"), tmp_path / "out"
    if blocked == "a file in the path":
        output.write_text("")
        output = output / "deeper"
    elif blocked == "a folder as result":
        (output / "poses.csv").mkdir(parents=True)
    else:
        output = Path("/proc/none")
        if not output.parent.is_dir():
            pytest.skip("no such file system here")
    assert str(output) in refused(request([photo], output), photo)


def test_another_users_folder_is_refused_before_the_first_frame(tmp_path, monkeypatch):
    photo = in_place(tmp_path / "in", "a.png")

    def denied(self, *_):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_bytes", denied)
    assert "Permission denied" in refused(request([photo], tmp_path / "out"), photo)


def named_files(folder: Path) -> list[Path]:
    folder.mkdir()
    for name in NAMES:
        path = folder / os.fsdecode(name)
        if path.suffix == ".mp4":
            with VideoWriter(folder / "plain.mp4") as writer:
                writer.write(shade(5), 0)
            (folder / "plain.mp4").rename(path)
        else:
            shade(4).save(folder / "plain.png")
            (folder / "plain.png").rename(path)
    return sorted(folder.iterdir())


def names_in(output: Path) -> tuple[list[bytes], list[bytes]]:
    """File names in poses.json and in poses.csv, as bytes."""
    frames = json.loads((output / "poses.json").read_text("utf-8"))["frames"]
    with (output / "poses.csv").open(encoding="utf-8", newline="") as file:
        cells = [row["source"] for row in csv.DictReader(file)]
    from_json = [frame["source"] for frame in frames]
    from_csv = [read_name(cell) for cell in dict.fromkeys(cells)]
    bytes_of = [name.encode("utf-8", "surrogateescape") for name in (*from_json, *from_csv)]
    return [os.path.basename(n) for n in bytes_of[: len(frames)]], [
        os.path.basename(n) for n in bytes_of[len(frames) :]
    ]


def test_names_of_any_bytes_come_back_from_every_format(tmp_path):
    predict(FakePredictor(), request(named_files(tmp_path / "in"), tmp_path / "out"))
    check_names(tmp_path / "out")


def check_names(output: Path) -> None:
    for names in names_in(output):
        assert sorted(names) == sorted(NAMES)
    content = json.loads((output / "poses.json").read_text("utf-8"))
    assert content["complete"] and all(frame["infants"] for frame in content["frames"])
    assert len(json.loads((output / "coco_keypoints.json").read_text("utf-8"))) == len(NAMES)
    assert len(list((output / "overlays").iterdir())) == len(NAMES)


RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from fake_run import FakePredictor, request
from PoseEstimation.inference.predict import predict
sources = sorted(Path(sys.argv[2]).iterdir())
predict(FakePredictor(), request(sources, Path(sys.argv[3])))
"""


def test_names_are_the_same_in_a_locale_without_utf8(tmp_path):
    named_files(tmp_path / "in")
    bare = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    words = [sys.executable, "-c", RUN, Path(__file__).parent, tmp_path / "in", tmp_path / "out"]
    run = subprocess.run(words, env={**os.environ, **bare}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    check_names(tmp_path / "out")
