"""Training checkpoints without pickles: tensors as safetensors, the rest as JSON in the header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lightning.fabric.plugins.io.checkpoint_io import CheckpointIO
from torch import Tensor

from Engine.errors import DataError
from Engine.weights import read_metadata, read_safetensors, write_safetensors

CHECKPOINTS = "checkpoints"
KEPT = 2


class SafetensorsCheckpointIO(CheckpointIO):
    """Lets Lightning save and load its checkpoint dictionary as one safetensors file.

    One file, so that a checkpoint is whole or absent.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: object = None
    ) -> None:
        """Write the checkpoint, then drop all but the newest ``KEPT`` of its folder."""
        tensors: dict[str, Tensor] = {}
        tree = flatten(checkpoint, tensors)
        write_safetensors(Path(path), tensors, {"checkpoint": tree})
        for old in list_checkpoints(Path(path).parent.parent)[KEPT:]:
            self.remove_checkpoint(old)

    def load_checkpoint(
        self, path: str | Path, map_location: object = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint; tensors are on the CPU.

        Raises:
            DataError: the file is missing or damaged.
        """
        tensors, metadata = read_safetensors(Path(path))
        return unflatten(metadata["checkpoint"], tensors)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint file."""
        Path(path).unlink(missing_ok=True)


def checkpoint_path(output: Path, batches: int) -> Path:
    """Where the checkpoint after so many batches lies."""
    return output / CHECKPOINTS / f"step-{batches:09d}.safetensors"


def list_checkpoints(output: Path) -> list[Path]:
    """Checkpoints of a run, newest first."""
    return sorted((output / CHECKPOINTS).glob("step-*.safetensors"), reverse=True)


def newest_checkpoint(output: Path) -> tuple[Path, int] | None:
    """Return the newest readable checkpoint and its number of batches; None where there is none."""
    for path in list_checkpoints(output):
        try:
            read_metadata(path)
        except DataError:
            continue
        return path, int(path.stem.removeprefix("step-"))
    return None


def flatten(value: Any, tensors: dict[str, Tensor], where: str = "checkpoint") -> Any:
    """Turn nested values into JSON, moving tensors into ``tensors`` under their place's name.

    Dictionaries with other than string keys, tuples and tensors become one-entry dictionaries whose
    key starts with ``$``, so that ``unflatten`` gives back exactly what went in.

    Raises:
        TypeError: a value that is neither plain nor a tensor, with its place.
    """
    if isinstance(value, Tensor):
        tensors[where] = value.detach().cpu().contiguous().clone()
        return {"$tensor": where}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        plain = all(isinstance(k, str) and not k.startswith("$") for k in value)
        if plain:
            return {k: flatten(v, tensors, f"{where}.{k}") for k, v in value.items()}
        items = [[flatten(k, {}), flatten(v, tensors, f"{where}.{k}")] for k, v in value.items()]
        return {"$items": items}
    if isinstance(value, list | tuple):
        items = [flatten(v, tensors, f"{where}.{i}") for i, v in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    raise TypeError(f"cannot store {type(value).__name__} at {where} without pickle")


def unflatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Undo ``flatten``."""
    if isinstance(value, list):
        return [unflatten(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors[value["$tensor"]]
    if "$tuple" in value:
        return tuple(unflatten(v, tensors) for v in value["$tuple"])
    if "$items" in value:
        return {unflatten(k, tensors): unflatten(v, tensors) for k, v in value["$items"]}
    return {k: unflatten(v, tensors) for k, v in value.items()}
