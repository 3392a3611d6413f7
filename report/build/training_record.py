"""``chains.json``: cost, lineage and learning curve of every stage."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from Engine.errors import DataError
from Engine.reading import load_json, require_folder

MEASURE = "validation_loss"


def record(folder: Path) -> list[dict[str, Any]]:
    """Read the finished stages of a chain's folder, in order.

    Returns:
        Per stage ``name``, ``minutes``, ``summary``, ``begins_with`` and ``made`` (sha256 by file),
        and ``curve`` of the validation loss for those that trained.

    Raises:
        DataError: no such folder, or no stage in it is done.
    """
    paths = sorted(require_folder(folder, "chain").glob("*/stage.json"))
    if not paths:
        raise DataError(f"chain: {folder} has no finished stage; run 'infantpose train chain'")
    stages = []
    for path in paths:
        stage = load_json(path, "stage")
        log = path.parent / "log.csv"
        stages.append({**stage, "curve": curve(log)} if log.is_file() else stage)
    return stages


def curve(log: Path) -> dict[str, list[float]]:
    """Minutes and validation loss of a run's log; time adds up over sessions."""
    minutes, values, before, last = [], [], 0.0, 0.0
    with log.open(newline="") as file:
        for row in csv.DictReader(file):
            now = float(row["minutes"])
            before += last if now < last else 0.0
            last = now
            if row["name"] == MEASURE:
                minutes.append(round(before + now, 2))
                values.append(float(row["value"]))
    return {"minutes": minutes, "value": values}


def merged(path: Path, chains: Sequence[Path]) -> dict[str, Any]:
    """The contents of ``chains.json`` with these chains' records in place of older ones."""
    known = load_json(path, "chains") if path.is_file() else {}
    return known | {folder.name: record(folder) for folder in chains}
