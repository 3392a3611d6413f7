"""Chains: recipes one after another, each beginning with what earlier ones made.

A chain is a list of stages whose settings name the files of earlier stages, so nothing but the
folder decides what begins with what. A stage that is done is not done again; one that was killed
goes on from its last checkpoint. The ``stage.json`` of each records its cost and its lineage.
"""

from __future__ import annotations

import dataclasses
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from Datasets.sources import DataSource
from Engine.errors import DataError
from Engine.files import write_json
from Engine.provenance import file_sha256
from Engine.settings import Settings
from Engine.training_settings import TrainerSettings
from PoseEstimation import recipes
from PoseEstimation.config import Config, placed
from PoseEstimation.recipes import recipe_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECORD = "stage.json"
BEAT_S = 30.0


@dataclass(frozen=True)
class Stage:
    """One run of a recipe.

    Attributes:
        name: its folder in the chain's.
        settings: of the recipe, which their type tells.
    """

    name: str
    settings: Settings


class Stages:
    """The stages of a chain in the order in which they are added.

    Attributes:
        folder: of the chain.
        listed: the stages by name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.listed: dict[str, Stage] = {}

    def add(self, name: str, settings: Settings) -> Path:
        """Add a stage, unless it is there, and return the file or folder that it will make."""
        self.listed.setdefault(name, Stage(name, settings))
        return self.folder / name / recipe_of(settings).product

    def __iter__(self) -> Iterator[Stage]:
        return iter(self.listed.values())


def placed_stages(stages: Stages, config: Config) -> list[Stage]:
    """The stages on the data, and with the cache, that ``config.paths`` name."""
    return [dataclasses.replace(s, settings=placed(s.settings, config.paths)) for s in stages]


@dataclass(frozen=True)
class StageRecord:
    """What a finished stage cost and began with.

    Attributes:
        name: of the stage.
        minutes: of training, over all its sessions.
        summary: how it ended: steps, epochs, best loss.
        begins_with: sha256 of each file that its settings name, by the settings' key.
        made: sha256 of each file that it made.
    """

    name: str
    minutes: float
    summary: dict[str, Any]
    begins_with: dict[str, str]
    made: dict[str, str]


def run_chain(
    stages: Sequence[Stage], folder: Path, say: Callable[[str], None] = print
) -> list[StageRecord]:
    """Run the stages that are not done yet.

    Args:
        stages: in their order.
        folder: of the chain; each stage gets a folder in it.
        say: called with what each stage cost.

    Returns:
        One record per stage.

    Raises:
        DataError: data of a stage is missing, or a stage stopped before its end.
    """
    say(f"{len(stages)} stages, at most {planned_minutes(stages, folder):.0f} min of training")
    records = []
    for number, stage in enumerate(stages, 1):
        output = folder / stage.name
        record = _finished(output)
        state = "done before"
        if record is None:
            record, state = _run(stage, output), "done"
        records.append(record)
        say(f"{number}/{len(stages)} {stage.name}: {record.minutes:.1f} min, {state}")
    say(f"{folder}: {sum(r.minutes for r in records):.1f} min in all")
    return records


def planned_minutes(stages: Sequence[Stage], folder: Path) -> float:
    """Add up the limits of the training stages that are not done; infinite where one has none."""
    limits = [
        trainer.max_minutes
        for stage in stages
        if isinstance(trainer := getattr(stage.settings, "trainer", None), TrainerSettings)
        and _finished(folder / stage.name) is None
    ]
    return sum(math.inf if limit is None else limit for limit in limits)


def _run(stage: Stage, output: Path) -> StageRecord:
    """Run one stage to its end and record it."""
    output.mkdir(parents=True, exist_ok=True)
    begins_with = {key: file_sha256(path) for key, path in named_files(stage.settings)}
    spent = _Clock(output / "minutes.json")
    with spent:
        summary = recipe_of(stage.settings).run(stage.settings, output)
    weights = {row.product for row in recipes.RECIPES if row.product.endswith(".safetensors")}
    patterns = ("[!.]*.npz", *sorted(weights))
    made = {path.name: file_sha256(path) for p in patterns for path in sorted(output.glob(p))}
    record = StageRecord(stage.name, spent.minutes, summary, begins_with, made)
    write_json(output / RECORD, dataclasses.asdict(record))
    return record


class _Clock:
    """Adds up the minutes of a stage over its sessions, also of one that is killed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = json.loads(path.read_text())["minutes"] if path.is_file() else 0.0

    def __enter__(self) -> None:
        self.began = time.monotonic()
        self.ended = threading.Event()
        self.keeper = threading.Thread(target=self._keep, daemon=True)
        self.keeper.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.keeper.join()
        self._write()

    def _keep(self) -> None:
        while not self.ended.wait(BEAT_S):
            self._write()

    def _write(self) -> None:
        write_json(self.path, {"minutes": self.minutes}, indent=None)

    @property
    def minutes(self) -> float:
        return self.before + (time.monotonic() - self.began) / 60


def _finished(output: Path) -> StageRecord | None:
    path = output / RECORD
    return StageRecord(**json.loads(path.read_text())) if path.is_file() else None


def named_files(settings: DataclassInstance, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Files that a settings dataclass names, with their keys.

    Raises:
        DataError: one does not exist.
    """
    for field in dataclasses.fields(settings):
        value, key = getattr(settings, field.name), f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from named_files(value, f"{key}.")
        values = value if isinstance(value, tuple) else (value,)
        paths = [v.labels if isinstance(v, DataSource) else v for v in values]
        for path in (p for p in paths if isinstance(p, Path) and p.suffix):
            if not path.is_file():
                raise DataError(f"chain: {key} names {path}, which does not exist")
            yield key if len(paths) == 1 else f"{key}[{path.parent.name}/{path.name}]", path
