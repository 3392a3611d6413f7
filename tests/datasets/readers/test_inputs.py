"""What a user names: files, folders and patterns, each photo once, and what is skipped is named."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from Datasets.readers.inputs import expand_inputs, is_video
from Datasets.readers.video import iter_frames
from Engine.errors import DataError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def names(*patterns: str | Path) -> list[str]:
    return [path.name for path in expand_inputs(patterns).paths]


def test_inputs_are_sorted_and_kept_once(tmp_path: Path) -> None:
    touch(tmp_path, "b.png", "a.jpg", "notes.txt", "c.MP4", ".hidden.png")
    assert names(tmp_path, tmp_path / "a.jpg", str(tmp_path / "*.png")) == [
        "a.jpg",
        "b.png",
        "c.MP4",
    ]
    assert names(tmp_path / "c.MP4", tmp_path) == ["c.MP4", "a.jpg", "b.png"]


@pytest.mark.parametrize("name", ["missing", "notes.txt", "empty", "*.xcf", "long" * 100])
def test_inputs_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "notes.txt", "empty/.DS_Store")
    with pytest.raises(DataError, match="input: ") as caught:
        expand_inputs([tmp_path / name])
    assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)


def test_parts_of_a_pattern_that_exist_are_literal(tmp_path: Path) -> None:
    touch(tmp_path, "sess[1]/a.jpg", "sess[1]/b[2].jpg", "sess1/no.jpg", "sess2/c3.jpg")
    assert names(str(tmp_path / "sess[1]/*.jpg")) == ["a.jpg", "b[2].jpg"]
    assert names(str(tmp_path / "sess[1]")) == ["a.jpg", "b[2].jpg"]
    assert names(str(tmp_path / "sess[1]/b[2].jpg")) == ["b[2].jpg"]
    assert names(str(tmp_path / "sess[2]/c[0-9].jpg")) == ["c3.jpg"]
    assert names(str(tmp_path / "**/c?.jpg")) == ["c3.jpg"]


def test_brackets_that_match_nothing_as_a_pattern_are_letters(tmp_path: Path) -> None:
    touch(tmp_path, "day/sess[1]/a.jpg", "day/sess2/b.jpg", "day/sess[3]/c.jpg", "day/sess3/d.jpg")
    assert names(str(tmp_path / "*/sess[1]/*.jpg")) == ["a.jpg"]
    assert names(str(tmp_path / "*/sess[12]/*.jpg")) == ["b.jpg"]
    assert names(str(tmp_path / "*/sess[3]/*.jpg")) == ["d.jpg"]
    assert names(str(tmp_path / "*/sess[[]3]/*.jpg")) == ["c.jpg"]
    with pytest.raises(DataError, match=r"matches nothing; \[ \] stands for .* write \[\[\] for"):
        expand_inputs([str(tmp_path / "*/sess[1]/c[0-9].jpg")])
    with pytest.raises(DataError, match=r"\*\.jpg matches nothing; check the path"):
        expand_inputs([str(tmp_path / "*.jpg")])


def test_an_empty_path_is_not_the_current_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(touch(tmp_path, "a.jpg"))
    assert names(".") == ["a.jpg"]
    with pytest.raises(DataError, match=r"^input: an empty path; check the variable"):
        expand_inputs(["a.jpg", ""])


def test_home_and_relative_patterns(tmp_path: Path, monkeypatch) -> None:
    touch(tmp_path, "films/a.jpg", "films/b.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert names("~/films") == names("~/films/*.jpg") == ["a.jpg", "b.jpg"]
    assert expand_inputs(["films/*.jpg"]).paths == (Path("films/a.jpg"), Path("films/b.jpg"))
    with pytest.raises(DataError, match="does not exist"):
        expand_inputs(["~nobody-of-this-name/films"])
    touch(tmp_path, "~/c.jpg")
    assert names("~/c.jpg") == ["c.jpg"]


def test_a_photo_that_is_reached_twice_comes_once(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/b.jpg")
    (tmp_path / "in/link.jpg").symlink_to("a.jpg")
    (tmp_path / "other").symlink_to("in")
    again = [tmp_path / "in/../in/b.jpg", tmp_path / "other", tmp_path / "other/a.jpg"]
    assert names(tmp_path / "in", *again) == ["a.jpg", "b.jpg"]


def test_hard_links_are_photos_of_their_own(tmp_path: Path) -> None:
    # Tools that save space link equal frames of a sequence.
    touch(tmp_path, "frame_1.png")
    os.link(tmp_path / "frame_1.png", tmp_path / "frame_2.png")
    assert names(tmp_path) == ["frame_1.png", "frame_2.png"]


def test_case_matters_where_the_disk_says_so(tmp_path: Path, monkeypatch) -> None:
    touch(tmp_path, "a.jpg")
    again = tmp_path / "A.JPG"
    if not again.exists():
        assert names(tmp_path / "a.jpg", touch(tmp_path, "A.JPG") / "A.JPG") == ["a.jpg", "A.JPG"]
    monkeypatch.setattr(os.path, "samefile", lambda first, second: True)
    assert names(tmp_path / "a.jpg", again) == ["a.jpg"]


def test_what_a_folder_holds_besides_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/2.CR3", "a/3.cr3", "a/README", "a/.DS_Store", "a/Thumbs.db")
    touch(tmp_path, "a/._1.jpg", "b/1.mp4", "b\nc/1.mp4", "b\nc/1.xmp")
    (tmp_path / "a/deeper").mkdir()
    inputs = expand_inputs([tmp_path / "a", tmp_path / "b", tmp_path / "b\nc"])
    assert [path.name for path in inputs.paths] == ["1.jpg", "1.mp4", "1.mp4"]
    assert {path.name for path in inputs.skipped} == {"2.CR3", "3.cr3", "README", "1.xmp"}
    assert inputs.notes() == [
        f"{tmp_path}/a: 3 files (2 .cr3, 1 without suffix) skipped, no photo or video by name",
        f"{tmp_path}/b\\nc: 1 file (1 .xmp) skipped, no photo or video by name",
    ]
    touch(tmp_path, "raw/a.dng")
    with pytest.raises(DataError, match=r"only 1 file \(1 \.dng\)"):
        expand_inputs([tmp_path / "raw"])


def test_a_folder_that_cannot_be_listed_is_one_line(tmp_path: Path, monkeypatch) -> None:
    def iterdir(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(DataError, match="cannot be listed"):
        expand_inputs([tmp_path])


def test_names_of_any_kind_are_found(tmp_path: Path) -> None:
    kinds = ["\udce9.jpg", "b\nc.jpg", "d'\"e.jpg", "\N{BABY}.jpg"]
    touch(tmp_path, *kinds)
    assert set(names(tmp_path)) == set(names(str(tmp_path / "*.jpg"))) == set(kinds)
    with pytest.raises(DataError) as caught:
        expand_inputs([tmp_path / "\udce9\n.jpg"])
    assert str(caught.value).isprintable() and r"\udce9\n.jpg" in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "container", "codec"),
    [
        (".MTS", "mpegts", "libx264"),
        (".m2ts", "mpegts", "libx264"),
        (".ts", "mpegts", "mpeg2video"),
        (".3gp", "3gp", "mpeg4"),
        (".mpg", "mpeg", "mpeg1video"),
        (".mod", "mpeg", "mpeg2video"),
        (".vob", "vob", "mpeg2video"),
        (".wmv", "asf", "wmv2"),
        (".flv", "flv", "flv"),
        (".ogv", "ogv", "libvpx"),
        (".gif", "gif", "gif"),
    ],
)
def test_videos_of_camcorders_and_old_phones_are_read(
    tmp_path: Path, suffix: str, container: str, codec: str
) -> None:
    path = tmp_path / f"a{suffix}"
    levels = [40, 90, 140, 190]
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height = 176, 144
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for level in levels:
            picture = np.full((144, 176, 3), level, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())
    assert is_video(path) and names(tmp_path) == [path.name]
    frames = list(iter_frames(path))
    assert [frame.error for frame in frames] == [None] * 4
    for frame, level in zip(frames, levels, strict=True):
        assert abs(np.asarray(frame.image).mean() - level) < 20


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".mpo", ".avif"])
def test_photos_under_other_suffixes_are_read(tmp_path: Path, suffix: str) -> None:
    from PIL import Image

    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (32, 24), (200, 30, 30)).save(path, "AVIF" if suffix == ".avif" else "JPEG")
    (photo,) = expand_inputs([tmp_path]).paths
    assert not is_video(photo)
    assert abs(np.asarray(next(iter_frames(photo)).image).mean() - 260 / 3) < 5
