"""Where files come from: hashes that depend on content alone, a commit that never fails."""

from __future__ import annotations

import hashlib
import json
import subprocess

import pytest

import Engine.provenance as module
from Engine.provenance import code_commit, code_identity, code_version, file_sha256, hash_files


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Let the code lie in another folder."""
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    code_commit.cache_clear()
    yield tmp_path
    code_commit.cache_clear()


def test_hashes_depend_on_names_and_contents_and_not_on_the_order(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    paths = [tmp_path / "a", tmp_path / "b"]
    before = hash_files(tmp_path, paths)
    assert before == hash_files(tmp_path, paths[::-1])
    (tmp_path / "b").write_bytes(b"3")
    assert before != hash_files(tmp_path, paths)


def test_the_code_is_named_and_hashes_are_of_bytes(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"2")
    assert file_sha256(tmp_path / "net.safetensors") == hashlib.sha256(b"2").hexdigest()
    assert json.loads(json.dumps(code_identity())) == {
        "code_version": code_version(),
        "commit": code_commit(),
    }


def test_the_commit_is_the_checkouts(fresh):
    git = ["git", "-C", str(fresh), "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q"], check=True)
    assert code_commit() is None  # no commit yet
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
    code_commit.cache_clear()
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert code_commit() == head.stdout.strip()


def test_without_a_checkout_or_without_git_there_is_no_commit(fresh, monkeypatch):
    assert code_commit() is None
    (fresh / ".git").mkdir()
    monkeypatch.setenv("PATH", str(fresh))
    code_commit.cache_clear()
    assert code_commit() is None
