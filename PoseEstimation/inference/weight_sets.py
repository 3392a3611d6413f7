"""Weight sets on disk: found by name, and what their index says of them; free of torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Engine.errors import DataError
from Engine.reading import load_yaml

FILES = ("detector.safetensors", "heatmap.safetensors", "lifter.safetensors")
INDEX = "index.yaml"


def find_weights(saved_models: Path, name: str) -> Path:
    """Return the folder of a weight set, by name under ``saved_models`` or by path.

    Raises:
        DataError: there is none.
    """
    folder = saved_models / name
    if folder.is_dir():
        return folder
    if Path(name).is_dir():
        return Path(name)
    sets = sorted(p.name for p in saved_models.glob("*") if p.is_dir()) or ["none"]
    raise DataError(f"weights: {folder} does not exist; sets there: {', '.join(sets)}")


def notice_of_terms(folder: Path, saved_models: Path) -> str | None:
    """What to say about weights that may not be used for everything: names end in ``-research``.

    Args:
        folder: of the chosen set.
        saved_models: where others may lie that know more and are not chosen on their own.

    Returns:
        One line, or None where there are no such weights.
    """
    if folder.name.endswith("-research"):
        return _terms(folder)
    others = [path for path in sorted(saved_models.glob("*-research")) if is_indexed(path)]
    if not others:
        return None
    return f"with other terms there is {_terms(others[0])}; --weights {others[0].name} takes it"


def _terms(folder: Path) -> str:
    licence = index_entry(folder).get("licence", "research only, non-commercial")
    return f"{folder.name}: {licence}; see MODEL_CARD.md"


def is_indexed(folder: Path) -> bool:
    """Whether ``index.yaml`` says what every file of the set must be."""
    return set(FILES) <= set(index_entry(folder).get("sha256") or {})


def index_entry(folder: Path) -> dict[str, Any]:
    """What ``index.yaml`` says about a set; empty when it does not list it.

    Raises:
        DataError: the file is no index of weight sets.
    """
    path = folder.resolve().parent / INDEX
    if not path.is_file():
        return {}
    try:
        return dict((load_yaml(path, "weights") or {}).get(folder.name) or {})
    except (AttributeError, TypeError, ValueError):
        raise DataError(f"weights: {path} is no index of weight sets; restore it") from None
