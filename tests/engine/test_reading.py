"""Text files that people edit: a byte order mark is no text, a fault is one line with its place."""

from __future__ import annotations

import codecs

import numpy as np
import pytest

from Datasets.readers.base import load_rows
from Engine.errors import DataError
from Engine.reading import (
    load_json,
    load_yaml,
    read_ascii,
    require_file,
    require_folder,
)

BOM = codecs.BOM_UTF8


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(BOM + '{"a": "ü"}'.encode())
    assert load_json(path, "x") == {"a": "ü"}
    path.write_bytes(BOM + "a: ü\r\nb: 1\r\n".encode())
    assert load_yaml(path, "x") == {"a": "ü", "b": 1}
    path.write_bytes(BOM + b"1 2\r\n3 4\r\n")
    assert read_ascii(path).startswith("1 2")
    np.testing.assert_array_equal(load_rows(path, 2, 2), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3 is not valid YAML (key 'a' stands twice); correct it"),
        (b"a:\n  b: 1\n  b: 2\n", "line 3 is not valid YAML (key 'b' stands twice)"),
        (b"a:\n\tb: 1\n", "line 2 is not valid YAML (found character '\\t'"),
        (b"a: [\n", "line 2 is not valid YAML"),
        (b"a: !!python/name:os.system\n", "line 1 is not valid YAML (could not determine"),
        (b"a: \xfc\n", "is not UTF-8 text; save it as UTF-8"),
        ("a: 1\n".encode("utf-16"), "is not UTF-8 text; save it as UTF-8"),
        (b"a: " + b"[" * 5000, "is not valid YAML"),
    ],
)
def test_faults_in_yaml_are_one_line(tmp_path, content, said):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_yaml(path, "config")
    text = str(caught.value)
    assert text.startswith(f"config: {path}") and said in text and "\n" not in text
    assert ("not tabs" in text) == (b"\t" in content)


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", BOM, b"---\n"])
def test_an_empty_yaml_file_is_none(tmp_path, content):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    assert load_yaml(path, "config") is None


def test_merge_keys_are_not_twice(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: &a {x: 1}\nb: {<<: *a, x: 2}\n")
    assert load_yaml(path, "c")["b"] == {"x": 2}


@pytest.mark.parametrize("content", [b"{", b'{"a": 1,}', b"\xff", b"[" * 100_000])
def test_faults_in_json_are_one_line(tmp_path, content):
    path = tmp_path / "c.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_json(path, "intrinsics")
    assert str(caught.value).startswith(f"intrinsics: {path} is not")
    assert "\n" not in str(caught.value)


def test_what_must_be_there(tmp_path):
    (tmp_path / "file").touch()
    assert require_file(tmp_path / "file", "x") == tmp_path / "file"
    assert require_folder(str(tmp_path), "x") == tmp_path
    with pytest.raises(DataError, match="is a folder, not a file"):
        require_file(tmp_path, "x")
    with pytest.raises(DataError, match="is a file, not a folder"):
        require_folder(tmp_path / "file", "x")
    with pytest.raises(DataError, match=r"^x: .*absent does not exist"):
        require_file(tmp_path / "absent", "x")
