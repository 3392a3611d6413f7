"""The settings of everything: ``config.yaml`` and ``section.key=value`` overrides, typed, checked.

A section is a dataclass; what the file does not say has the dataclass's default.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from Datasets.sources import DataSource
from Engine.errors import DataError
from FasterRCNN.settings import CloseUpSettings, DetectorSettings
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings

FILE_NAME = "config.yaml"

_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class PathSettings:
    """Where things lie.

    Attributes:
        mini_rgbd, mpii, mpi_inf_3dhp, coco, slp, lsp, syrip: the official data set or a generated
            copy of its layout.
        smpl_poses: fits of people in bed that the chain ``real`` takes where the file exists.
        cache: what is kept of large label files in a form that opens at once.
        saved_models: weight sets and their ``index.yaml``.
    """

    mini_rgbd: Path = Path("data/mini_rgbd")
    mpii: Path = Path("data/mpii")
    mpi_inf_3dhp: Path = Path("data/mpi_inf_3dhp")
    coco: Path = Path("data/coco")
    slp: Path = Path("data/slp")
    lsp: Path = Path("data/lsp")
    syrip: Path = Path("data/syrip")
    smpl_poses: Path = Path("data/smpl_poses.npz")
    cache: Path = Path("data/cache")
    saved_models: Path = Path("SavedModels")


@dataclass(frozen=True)
class Config:
    """All sections of ``config.yaml``.

    Attributes:
        weights: name of a weight set under ``paths.saved_models``, or a folder.
        paths: where things lie; relative paths count from the folder of ``config.yaml``.
        detector, close_up, heatmap, lifting, clip_lifting: one training recipe each.
        predict: how frames become poses.
    """

    weights: str = "infant-synthetic"
    paths: PathSettings = field(default_factory=PathSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    close_up: CloseUpSettings = field(default_factory=CloseUpSettings)
    heatmap: HeatmapSettings = field(default_factory=HeatmapSettings)
    lifting: LiftingSettings = field(default_factory=LiftingSettings)
    clip_lifting: ClipLiftingSettings = field(default_factory=ClipLiftingSettings)
    predict: PredictSettings = field(default_factory=PredictSettings)


def find_config(path: Path | None) -> Path | None:
    """Return the file that counts: the one asked for, else here, else in the checkout, else none.

    Raises:
        DataError: the file asked for does not exist.
    """
    if path is not None:
        if not path.is_file():
            raise DataError(f"config: {path} does not exist; check --config")
        return path
    checkout = Path(__file__).resolve().parents[1] / FILE_NAME
    return next((p for p in (Path(FILE_NAME), checkout) if p.is_file()), None)


def load_config(path: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Read the settings.

    Args:
        path: a ``config.yaml``, or None to look for it (``find_config``).
        overrides: ``section.key=value``, values written as in YAML; they count over the file.

    Raises:
        DataError: an unknown key, a value of another type, or a file that is not YAML.
    """
    from jsonargparse import ArgumentError, ArgumentParser

    path = find_config(path)
    bad = next((o for o in overrides if "=" not in o or o.startswith("-")), None)
    if bad is not None:
        raise DataError(f"config: '{bad}' is not section.key=value; write heatmap.batch_size=16")
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(Config)
    parser.add_argument("--config", action="config")
    given = [] if path is None else [f"--config={path}"]
    try:
        values = parser.parse_args([*given, *(f"--{override}" for override in overrides)])
        settings = parser.instantiate(values)
    except (ArgumentError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        where = "the command line" if overrides and "unrecognized" in reason else path or "defaults"
        known = f"known keys are in {FILE_NAME}"
        raise DataError(f"config: {where}: {reason}; {known}") from None
    sections = {f.name: getattr(settings, f.name) for f in dataclasses.fields(Config)}
    config = _from_folder(Config(**sections), Path() if path is None else path.parent)
    return _with_roots(config, config.paths)


def _from_folder(settings: _Settings, folder: Path) -> _Settings:
    """Let every relative path of a dataclass, at any depth, count from ``folder``."""
    names = [f.name for f in dataclasses.fields(settings)]
    changes = {name: _located(getattr(settings, name), folder) for name in names}
    return dataclasses.replace(settings, **changes)


def _with_roots(settings: Any, paths: PathSettings) -> Any:
    """Let every ``DataSource`` without a root lie where ``paths`` says, if it says so."""
    if isinstance(settings, DataSource):
        return replace(settings, root=settings.root or getattr(paths, settings.dataset, None))
    if isinstance(settings, tuple | list):
        return type(settings)(_with_roots(item, paths) for item in settings)
    if not dataclasses.is_dataclass(settings):
        return settings
    names = [f.name for f in dataclasses.fields(settings)]
    return replace(settings, **{n: _with_roots(getattr(settings, n), paths) for n in names})


def _located(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple | list):
        return type(value)(_located(item, folder) for item in value)
    return _from_folder(value, folder) if dataclasses.is_dataclass(value) else value
