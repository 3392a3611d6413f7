"""The settings of everything: ``config.yaml`` and ``section.key=value`` overrides, typed, checked.

A section is a dataclass; every row of ``recipes`` and every data set has its own. Three layers lie
over their defaults, the later the stronger: the shipped ``config.yaml``, the user's own, the
overrides. Each may leave out what it does not change.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from Datasets import sources
from Datasets.sources import CACHE, DataSet, DataSource
from Engine.errors import DataError
from Engine.reading import ENCODING, load_yaml, require_file
from Engine.settings import Settings
from Engine.typed import overlaid
from PoseEstimation import recipes
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.recipes import Recipe

FILE_NAME = "config.yaml"
SHIPPED = Path(__file__).resolve().parents[1] / FILE_NAME
COMMAND_LINE = "the command line"

RENAMED = {"close_up": "rescoring", "looked_at": "images_scored"}
"""What sections and keys of earlier versions are called now; see also ``_newer``."""

_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class PathSettings(Settings):
    """Where things lie; each data set has a key of its name, too: its folder.

    Attributes:
        smpl_poses, cmu_angles: fits of people in bed and motion capture that the chain ``real``
            takes where the files exist.
        cache: what is kept of large label files in a form that opens at once.
        saved_models: weight sets and their ``index.yaml``.
    """

    smpl_poses: Path = Path("data/smpl_poses.npz")
    cmu_angles: Path = Path("data/cmu_angles.npz")
    cache: Path = CACHE
    saved_models: Path = Path("SavedModels")
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Path: ...


@dataclass(frozen=True)
class Config(Settings):
    """All sections of ``config.yaml``; each recipe has one of its name, too: its settings.

    Attributes:
        weights: name of a weight set under ``paths.saved_models``, or a folder.
        paths: where things lie.
        predict: how frames become poses.
    """

    weights: str = "infant-synthetic"
    paths: PathSettings = field(default_factory=PathSettings)
    predict: PredictSettings = field(default_factory=PredictSettings)
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def default_config() -> Config:
    """The settings where nobody says otherwise."""
    return _defaults(recipes.RECIPES, sources.DATASETS)


@cache
def _defaults(rows: tuple[Recipe, ...], datasets: tuple[DataSet, ...]) -> Config:
    folders = [(row.name, Path, row.root) for row in datasets]
    paths = make_dataclass("Paths", folders, bases=(PathSettings,), frozen=True)
    sections = [
        (name, kind, field(default_factory=kind))
        for name, kind in (("paths", paths), *((row.name, row.settings) for row in rows))
    ]
    return make_dataclass("AllSections", sections, bases=(Config,), frozen=True)()


def config_files(path: Path | None, say: Callable[[str], None] = lambda line: None) -> list[Path]:
    """List the files that count, the stronger last: the shipped one, then the user's own.

    A ``config.yaml`` of the current folder that nobody asked for is ours when it is empty, when all
    its top-level keys are ours, or when a section of ours in it holds a setting of that section; in
    the last case another key is a mistake of the user's, which ``load_config`` names. A damaged
    file is judged by what stands before the damage.

    Args:
        path: the user's own file; None takes ``config.yaml`` of the current folder if it is ours.
        say: told why such a file is passed over.

    Raises:
        DataError: the file asked for does not exist.
    """
    own = Path(FILE_NAME) if path is None else require_file(path, "config")
    shipped = [SHIPPED] if SHIPPED.is_file() else []
    if not os.path.isfile(own):
        return shipped
    if shipped and own.samefile(SHIPPED):
        return [own]
    stranger = None if path is not None else _stranger(own)
    if stranger is None:
        return [*shipped, own]
    say(f"{own} of this folder is not used: {stranger}; name it with --config if it is meant")
    return shipped


def load_config(path: Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Read the settings; a line on stderr names a foreign ``config.yaml`` that is passed over.

    Args:
        path: the user's own file; see ``config_files``. What it does not say is as shipped.
        overrides: ``section.key=value``, values written as in YAML; they count over the files.

    Returns:
        Paths count from the folder of the file that names them, those of overrides from the current
        folder; every ``DataSource`` has the root and the cache that ``paths`` name, or its own.

    Raises:
        DataError: an unknown key, a value of another type or beyond its limits, or a file that is
            not YAML.
    """
    config = default_config()
    for file in config_files(path, _to_stderr):
        content = load_yaml(file, "config")
        if content is not None and not isinstance(content, Mapping):
            raise DataError(
                f"config: {file} is no mapping of sections; see the shipped {FILE_NAME}"
            )
        config = _overlaid(config, content or {}, file.parent, str(file))
    for override in overrides:
        config = _overlaid(config, _nested(override), Path(), COMMAND_LINE)
    return placed(config, config.paths)


def _overlaid(config: Config, given: Mapping[str, Any], folder: Path, source: str) -> Config:
    """Lay one source of settings over others, its relative paths counted from ``folder``."""
    given = _with_new_names(given, source)
    try:
        config = overlaid(config, given, folder)
    except DataError as error:
        raise DataError(f"config: {source}: {error}") from None
    named = "weights" in given and len(Path(config.weights).parts) > 1
    return replace(config, weights=str(folder / config.weights)) if named else config


def _with_new_names(given: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Rename what earlier versions called otherwise, and say so."""
    result: dict[str, Any] = {}
    changed: dict[str, str] = {}
    for section, values in given.items():
        if not isinstance(values, Mapping):
            result[_newer(section)] = values
            continue
        for key, value in values.items() or [("", {})]:
            old = f"{section}.{key}".rstrip(".")
            new = _newer(old)
            *sections, last = new.split(".")
            place = result
            for name in sections:
                place[name] = place[name] if isinstance(place.get(name), dict) else {}
                place = place[name]
            both = isinstance(value, Mapping) and isinstance(place.get(last), Mapping)
            place[last] = {**place[last], **value} if both else value
            changed |= {old: new} if new != old else {}
    if changed:
        (old, new), more = next(iter(changed.items())), len(changed) - 1
        others = (
            f", and {more} more keys have new names; see the shipped {FILE_NAME}" if more else ""
        )
        _to_stderr(f"config: {source}: '{old}' is called '{new}' now{others}")
    return result


def _newer(key: str) -> str:
    """The present name of a section or ``section.key``; networks have sections of their own now."""
    section, _, name = str(key).partition(".")
    section = RENAMED.get(section, section)
    name = RENAMED.get(name, name.replace("observed", "detections"))
    settings = getattr(default_config(), section, None)
    own, network = (
        getattr(kind, "__dataclass_fields__", ())
        for kind in (settings, getattr(settings, "network", None))
    )
    prefix = "network." if name in network and name not in own else ""
    return f"{section}.{prefix}{name}" if name else section


def _nested(override: str) -> dict[str, Any]:
    """``section.key=value`` as a file would say it.

    Raises:
        DataError: it is none.
    """
    name, equals, text = override.partition("=")
    if not equals or override.startswith("-"):
        raise DataError(
            f"config: '{override}' is not section.key=value; write heatmap.batch_size=16"
        )
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise DataError(f"config: {COMMAND_LINE}: {name} is no YAML value ({reason})") from None
    for part in reversed(name.split(".")):
        value = {part: value}
    return value


def placed(settings: _Settings, paths: PathSettings) -> _Settings:
    """Let every ``DataSource``, at any depth, lie where ``paths`` says, with its cache.

    What a source says itself counts over ``paths``.
    """
    if isinstance(settings, DataSource):
        root = settings.root or getattr(paths, settings.dataset, None)
        return replace(settings, root=root, cache=settings.cache or paths.cache)
    if isinstance(settings, tuple | list):
        return type(settings)(placed(item, paths) for item in settings)
    if not isinstance(settings, Settings):
        return settings
    names = [f.name for f in dataclasses.fields(settings)]
    return replace(settings, **{n: placed(getattr(settings, n), paths) for n in names})


def _to_stderr(line: str) -> None:
    print(f"infantpose: {line}", file=sys.stderr)


def _stranger(path: Path) -> str | None:
    """Why a file is none of ours by the rule of ``config_files``; None when it is ours."""
    config = default_config()
    sections = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    found, whole = [], True
    try:
        text = path.read_text(encoding=ENCODING, errors="replace")
        for key in _upper_keys(yaml.reader.Reader.NON_PRINTABLE.sub("\ufffd", text)):
            found.append(key)
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    except yaml.YAMLError:
        whole = False
    for section, name in (key.split(".")[:2] for key in found if "." in key):
        section, *names = _newer(f"{section}.{name}").split(".")
        if names[0] in getattr(sections.get(section), "__dataclass_fields__", ()):
            return None
    unknown = next((key for key in found if _newer(key.split(".")[0]) not in sections), None)
    if unknown is None:
        return None if whole or found else "it is no YAML text"
    if not unknown or "\ufffd" in unknown:
        return "it is no text of sections"
    return f"'{unknown[:40]}' is no section of infantpose"


def _upper_keys(text: str) -> Iterator[str]:
    """Keys of a YAML text's two upper levels in its order, the lower as ``section.key``.

    A text that is no mapping, and a key that is no plain word, is an empty one.

    Raises:
        yaml.YAMLError: where the text is damaged.
    """
    section = ""
    awaits_key: list[bool | None] = []  # of each open collection; None for a list
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            awaits_key.pop()
        if not isinstance(event, yaml.NodeEvent):
            continue
        word = " ".join(getattr(event, "value", "").split())
        mapping = isinstance(event, yaml.MappingStartEvent)
        if not awaits_key and not mapping and (word or isinstance(event, yaml.SequenceStartEvent)):
            yield ""
        if awaits_key and awaits_key[-1] is not None:
            if awaits_key[-1] and len(awaits_key) == 1:
                section = word
                yield section
            elif awaits_key[-1] and len(awaits_key) == 2:
                yield f"{section}.{word}"
            awaits_key[-1] = not awaits_key[-1]
        if isinstance(event, yaml.CollectionStartEvent):
            awaits_key.append(True if mapping else None)
