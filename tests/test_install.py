"""Installing chooses no version: the lock is complete, and any pip takes it as it is.

The Makefile installs a small project here whose lock has what is hard about the real one: an extra
that brings a distribution of its own, newer releases beside the locked ones, two builds of torch.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
EXTRAS = ("synthetic", "dev")

BACKEND = """
import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("project-1-py3-none-any.whl", folder).rpartition("/")[2]
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def locked() -> dict[str, Requirement]:
    """What the lock names for this platform, by name."""
    lines = re.findall(r"^([a-zA-Z][^\\\n]*)", LOCK.read_text("utf-8"), re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    return {
        canonicalize_name(r.name): r
        for r in requirements
        if r.marker is None or r.marker.evaluate()
    }


def needed(texts: Sequence[str], extras: Sequence[str] = ()) -> Iterator[Requirement]:
    """The requirements among ``texts`` that hold here, with any of the extras."""
    for requirement in map(Requirement, texts):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def faults(requirement: Requirement, lock: dict[str, Requirement]) -> Iterator[str]:
    """What the lock leaves open of one requirement."""
    entry = lock.get(canonicalize_name(requirement.name))
    if entry is None:
        yield f"{requirement}: not in the lock"
        return
    (pin,) = entry.specifier
    if pin.operator != "==" or not requirement.specifier.contains(pin.version, prereleases=True):
        yield f"{requirement}: the lock has {pin}"
    if missing := requirement.extras - entry.extras:
        yield f"{requirement}: the lock lacks the extra {', '.join(sorted(missing))}"
    found = metadata.version(requirement.name)
    if not entry.specifier.contains(found, prereleases=True):
        yield f"{requirement}: {found} is installed, the lock has {pin}"


def test_the_lock_is_closed_and_installed():
    """What a locked distribution needs here, extras included, is locked in a fitting version."""
    lock = locked()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    texts = [*project["dependencies"]]
    for extra in EXTRAS:
        texts += project["optional-dependencies"][extra]
    still, seen, found = list(needed(texts)), set(), []
    while still:
        requirement = still.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in seen:
            continue
        seen.add(key)
        found += faults(requirement, lock)
        still += needed(metadata.requires(requirement.name) or [], tuple(requirement.extras))
    assert found == []
    # the walk went through an extra to what only the extra brings
    assert ("coverage", frozenset({"toml"})) in seen and len({name for name, _ in seen}) > 50


def test_pip_takes_the_lock_as_it_is():
    """With everything there, pip has nothing to fetch and nothing to ask an index for."""
    if any("nvidia" in name and not is_installed(name) for name in locked()):
        pytest.skip("torch is from elsewhere, without the lock's CUDA libraries")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--no-index"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", LOCK]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def is_installed(name: str) -> bool:
    return bool(list(metadata.distributions(name=name)))


def write_wheel(folder: Path, name: str, version: str, requires: Sequence[str] = ()) -> Path:
    """A distribution of one empty module."""
    folder.mkdir(exist_ok=True)
    module = name.replace("-", "_")
    path, info = folder / f"{module}-{version}-py3-none-any.whl", f"{module}-{version}.dist-info"
    extras = [f"Provides-Extra: {e}" for e in ("extra", "libraries")]
    described = [f"Name: {name}", f"Version: {version}", *extras]
    described += [f"Requires-Dist: {requirement}" for requirement in requires]
    files = {
        f"{module}.py": "",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *described]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return path


def write_index(folder: Path, wheels: Sequence[Path]) -> str:
    """The address of an index that serves the wheels."""
    for wheel in wheels:
        page = folder / wheel.name.split("-")[0].replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as file:
            file.write(f'<a href="{wheel.as_uri()}">{wheel.name}</a>\n')
    return folder.as_uri()


class Project:
    """A copy of the Makefile with a small project, its lock and an index of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        shutil.copy(ROOT / "Makefile", self.folder)
        (self.folder / "pyproject.toml").write_text(PYPROJECT)
        (self.folder / "backend.py").write_text(BACKEND)
        write_wheel(self.folder, "project", "1", ["first", "torch", "torchvision"])
        wheels = folder / "wheels"
        pinned = [
            write_wheel(wheels, "first", "1.0", ["second[extra]>=1"]),
            write_wheel(wheels, "second", "1.0", ['third>=1; extra == "extra"']),
            write_wheel(wheels, "third", "1.0"),
            write_wheel(wheels, "torch", "2.9.0", ["cuda-kit[libraries]", "triton>=1"]),
            write_wheel(wheels, "torchvision", "0.9.0", ["torch==2.9.0"]),
            write_wheel(wheels, "cuda-kit", "1.0", ['nvidia-maths-cu1; extra == "libraries"']),
            write_wheel(wheels, "nvidia-maths-cu1", "1.0"),
            write_wheel(wheels, "triton", "1.0"),
        ]
        self.write_lock(pinned)
        # what came out since the lock was written
        newer = [write_wheel(wheels, w.name.split("-")[0], "99.0") for w in pinned]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": write_index(folder / "index", [*pinned, *newer]),
        }

    def write_lock(self, pinned: Sequence[Path]) -> None:
        """Pins with hashes; the extra of "second" is lost, which left pip a choice before."""
        extras = {"cuda-kit": "[libraries, others]"}
        with (self.folder / "requirements.lock").open("w") as lock:
            for wheel in pinned:
                module, version = wheel.name.split("-")[:2]
                name = module.replace("_", "-")
                digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
                lock.write(f"{name}{extras.get(name, '')}=={version} ; python_version > '3' \\\n")
                lock.write(f"    --hash=sha256:{digest}\n    # via something\n")

    def run_make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", ".venv/installed", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def install(self, *words: str) -> dict[str, str]:
        """Run make; the versions of what is installed then, by name."""
        run = self.run_make(*words)
        assert run.returncode == 0, run.stdout + run.stderr
        (packages,) = self.folder.glob(".venv/lib/python*/site-packages")
        found = metadata.distributions(path=[str(packages)])
        return {d.name: d.version for d in found if d.name not in ("pip", "setuptools")}


OTHERS = {"project": "1", "first": "1.0", "second": "1.0", "third": "1.0"}
FROM_LOCK = {"torch": "2.9.0", "torchvision": "0.9.0"}
FOR_CPU = {"torch": "2.9.0+cpu", "torchvision": "0.9.0+cpu"}
CUDA = {"cuda-kit": "1.0", "nvidia-maths-cu1": "1.0", "triton": "1.0"}
# does make begin an environment or take the one that is there, which saves a few seconds?
NEW, THERE = f"PYTHON={sys.executable}", "PYTHON=true"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return Project(tmp_path)


@pytest.fixture
def cpu_wheels(tmp_path: Path) -> list[Path]:
    """The locked pair built for CPUs, and a newer one."""
    folder = tmp_path / "cpu wheels"
    return [
        write_wheel(folder, "torch", "2.9.0+cpu"),
        write_wheel(folder, "torchvision", "0.9.0+cpu", ["torch==2.9.0"]),
        write_wheel(folder, "torch", "99.0+cpu"),
    ]


def test_the_lock_alone_and_torch_from_a_folder(project, cpu_wheels):
    folder = cpu_wheels[0].parent
    assert project.install(NEW, f"TORCH={folder}") == OTHERS | FOR_CPU
    # remembered: the next target does nothing, the next lock brings no CUDA
    assert "up to date" in project.run_make().stdout
    (project.folder / "pyproject.toml").touch()
    assert f"torchvision come from {folder}" in project.run_make("--dry-run").stdout
    # and given up again
    assert project.install(THERE, "TORCH=") == OTHERS | FROM_LOCK | CUDA
    (project.folder / "pyproject.toml").touch()
    assert "downloads some 3 GB" in project.run_make("--dry-run").stdout
    # a folder without the locked version: an error, and the next target begins again
    cpu_wheels[0].unlink()
    run = project.run_make(THERE, f"TORCH={folder}")
    assert run.returncode and "No matching distribution found for torch==2.9.0" in run.stderr
    assert not (project.folder / ".venv/installed").exists()


def test_the_newest_pip_and_torch_from_an_index(project, cpu_wheels, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", project.folder / ".venv"], check=True)
    upgrade = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "pip"]
    python = project.folder / ".venv/bin/python"
    try:
        subprocess.run([python, *upgrade], check=True, capture_output=True, timeout=30)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("offline: the newest pip cannot be had")
    address = write_index(tmp_path / "cpu index", cpu_wheels)
    assert project.install(THERE) == OTHERS | FROM_LOCK | CUDA
    assert project.install(THERE, f"TORCH={address}") == OTHERS | FOR_CPU


def test_torch_from_nowhere_is_refused_and_changes_nothing(project):
    run = project.run_make("TORCH=wheels")
    assert run.returncode and "error: TORCH=wheels is neither a folder" in run.stdout
    assert not (project.folder / ".venv").exists()


def test_ci_runs_what_the_readme_says():
    block = re.search(
        r"## Quick start.*?```\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S
    )
    commands = re.split(r"\n| && ", block[1].strip())
    assert len(commands) == 4 and "make demo" in commands
    script = (ROOT / ".ci/run").read_text("utf-8")
    for path, name in {"repository": "REPOSITORY", "place/mine": "PHOTOS_OR_VIDEO"}.items():
        script = script.replace(f'"${path}"', name)
    script = script.replace('"$place/infantpose"', "infantpose").replace("--quiet ", "")
    for command in (*commands, "make lint", "make test"):
        assert re.search(rf"^(step )?{re.escape(command)}( |$)", script, re.M), command
