"""The one writer: whole files or the old ones, and names that are no UTF-8."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from Engine.errors import DataError, WriteError
from Engine.files import (
    replacing,
    replacing_text,
    require_writable,
    write_image,
    write_json,
    write_npy,
    write_npz,
    write_text,
)


def test_a_file_that_fails_in_the_middle_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(ZeroDivisionError), replacing_text(path) as file:
        file.write("half of the new")
        file.flush()
        1 / 0  # noqa: B018
    assert json.loads(path.read_text()) == {"old": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_full_disk_names_the_file(tmp_path):
    path = tmp_path / "new" / "a.npz"
    with pytest.raises(WriteError, match=rf"{path}.*No space left"), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert os.listdir(path.parent) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError) as caught:
        write_text(tmp_path / "file" / "a.txt", "text")
    assert "\n" not in str(caught.value)


def test_names_of_any_bytes_survive_json(tmp_path):
    name = os.fsdecode(b"s\xe4ugling \xf0\x9f\x91\xb6\n\"'.jpg")
    with replacing_text(tmp_path / "a.json") as file:
        json.dump({"name": name}, file, ensure_ascii=False)
    back = json.loads((tmp_path / "a.json").read_text("utf-8"))["name"]
    assert back == name


def test_the_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_text("")
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    "name", ["a" * 251 + ".txt", "a." + "b" * 253, "é" * 127, "a.tar.gz", ".a"], ids=len
)
def test_names_as_long_as_the_system_allows_are_written(tmp_path, name):
    write_text(tmp_path / name, "text")
    write_text(tmp_path / name, "another")
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "another"


def test_savers_that_look_at_the_suffix_write_the_very_file(tmp_path):
    image = Image.new("RGB", (5, 4), (9, 9, 9))
    write_image(tmp_path / "a.b.png", image)
    write_image(tmp_path / "a.png", image, format="JPEG", quality=90)
    write_npz(tmp_path / "bank.data", path=np.arange(3), durable=np.arange(2))
    write_npy(tmp_path / "no suffix", np.arange(4))
    assert sorted(os.listdir(tmp_path)) == ["a.b.png", "a.png", "bank.data", "no suffix"]
    assert [Image.open(tmp_path / n).format for n in ("a.b.png", "a.png")] == ["PNG", "JPEG"]
    with np.load(tmp_path / "bank.data") as file:
        assert file["path"].tolist() == [0, 1, 2] and file["durable"].tolist() == [0, 1]
    assert np.load(tmp_path / "no suffix").tolist() == [0, 1, 2, 3]


def test_only_a_durable_file_waits_for_the_disk(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    write_text(tmp_path / "a.txt", "text", durable=False)
    assert not waited
    write_text(tmp_path / "a.txt", "text")
    assert len(waited) == 1


def test_an_output_is_a_folder_that_can_be_made(tmp_path):
    (tmp_path / "file").touch()
    assert require_writable(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert require_writable(tmp_path) == tmp_path
    assert os.listdir(tmp_path) == ["file"]
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataError, match="file is a file; name a folder"):
            require_writable(path)
    os.symlink(tmp_path / "nowhere", tmp_path / "link")
    with pytest.raises(DataError, match="link"):
        require_writable(tmp_path / "link" / "x")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_an_output_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match=r"cannot be written \(Permission denied\)"):
            require_writable(tmp_path / "new")
    finally:
        tmp_path.chmod(0o700)


def test_an_output_is_tried_in_earnest(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"new cannot be written \(No space left on device\)"):
        require_writable(tmp_path / "new")
