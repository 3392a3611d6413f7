"""The recipe ``collect``: trained networks as a weight set that ``--weights`` takes.

``OUTPUT/NAME`` holds the networks, ``manifest.yaml`` and the settings they were trained with;
``OUTPUT/index.yaml`` their sha256, data and terms. To ship a set, move its folder and its entry of
the index to ``SavedModels``, and write its MODEL_CARD.md.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from Engine.errors import DataError
from Engine.files import replacing, replacing_text
from Engine.provenance import file_sha256
from Engine.reading import load_yaml, require_file
from PoseEstimation import recipes
from PoseEstimation.inference.weight_sets import INDEX, MANIFEST, ROLES
from PoseEstimation.stage_settings import CollectSettings

MAX_MB = 45


def collect(settings: CollectSettings, output: Path) -> dict[str, Any]:
    """Make or replace the weight set ``output/NAME``.

    Returns:
        The sha256 of each file, by name.

    Raises:
        DataError: nothing to collect, a network is missing or over the size limit of a file, or the
            set is for research and says no terms.
    """
    networks = {role: getattr(settings, role) for role in ROLES}
    networks = {role: path for role, path in networks.items() if path is not None}
    if not networks:
        raise DataError(f"collect: nothing is given; name files for {', '.join(ROLES)}")
    licence = settings.licence or _own_terms(settings.name)
    folder, digests = output / settings.name, {}
    for role, path in networks.items():
        source = require_file(path, "trained weights")
        megabytes = source.stat().st_size / 1e6
        if megabytes > MAX_MB:
            raise DataError(f"{source}: {megabytes:.0f} MB, over {MAX_MB}; train a smaller network")
        with replacing(folder / ROLES[role]) as temporary:
            shutil.copyfile(source, temporary)
        digests[ROLES[role]] = file_sha256(folder / ROLES[role])
    _write(folder / MANIFEST, {"roles": {role: ROLES[role] for role in networks}})
    _write(folder / "config.yaml", _trained_with(settings.runs))
    index = load_yaml(output / INDEX, "weights") if (output / INDEX).is_file() else None
    entry = {"sha256": digests, "data": settings.data, "licence": licence}
    _write(output / INDEX, {**(index or {}), settings.name: entry})
    return digests


def _own_terms(name: str) -> str:
    """Terms of a set that nothing binds.

    Raises:
        DataError: its name says that something does.
    """
    if name.endswith("-research"):
        raise DataError(f"collect: {name} is for research; state its terms as collect.licence")
    return "Apache-2.0"


def _trained_with(runs: tuple[Path, ...]) -> dict[str, Any]:
    """The settings of runs, each in the section of its recipe: the one with these settings.

    Raises:
        DataError: a run has no settings, or those of no recipe.
    """
    settings = {}
    for run in runs:
        path = require_file(run / "settings.yaml", "settings of a run")
        content = load_yaml(path, "settings of a run")
        fields = [(row.name, set(row.settings.__dataclass_fields__)) for row in recipes.RECIPES]
        names = [name for name, keys in fields if keys == set(content or ())]
        if not names:
            raise DataError(f"collect: {path} fits no recipe; train that network again")
        settings[names[0]] = _without_folders(content)
    return settings


def _without_folders(value: Any) -> Any:
    """The settings without the parents of the folders of whoever trained."""
    if isinstance(value, dict):
        return {key: _without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return Path(value).name if isinstance(value, str) and "/" in value else value


def _write(path: Path, content: dict[str, Any]) -> None:
    with replacing_text(path) as file:
        yaml.safe_dump(content, file, sort_keys=False)
