"""The settings of everything: ``config.yaml`` and ``section.key=value`` overrides, typed, checked.

A section is a dataclass. Three layers lie over its defaults, the later the stronger: the shipped
``config.yaml``, the user's own, the overrides. Each may leave out what it does not change.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

import yaml

from Datasets.sources import CACHE, DataSource
from Engine.errors import DataError
from Engine.reading import ENCODING, load_yaml, require_file
from Engine.settings import Settings, faults
from FasterRCNN.settings import DetectorSettings, RescoringSettings
from PoseEstimation.inference.settings import PredictSettings
from PoseEstimation.settings import ClipLiftingSettings, HeatmapSettings, LiftingSettings

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

FILE_NAME = "config.yaml"
SHIPPED = Path(__file__).resolve().parents[1] / FILE_NAME
COMMAND_LINE = "the command line"
RENAMED = {"close_up": "rescoring", "close_up.looked_at": "images_scored"}
"""Sections and settings of earlier files, and their present names."""

_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class PathSettings(Settings):
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
    cache: Path = CACHE
    saved_models: Path = Path("SavedModels")


@dataclass(frozen=True)
class Config(Settings):
    """All sections of ``config.yaml``.

    Attributes:
        weights: name of a weight set under ``paths.saved_models``, or a folder.
        paths: where things lie.
        detector, rescoring, heatmap, lifting, clip_lifting: one training recipe each.
        predict: how frames become poses.
    """

    weights: str = "infant-synthetic"
    paths: PathSettings = field(default_factory=PathSettings)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    rescoring: RescoringSettings = field(default_factory=RescoringSettings)
    heatmap: HeatmapSettings = field(default_factory=HeatmapSettings)
    lifting: LiftingSettings = field(default_factory=LiftingSettings)
    clip_lifting: ClipLiftingSettings = field(default_factory=ClipLiftingSettings)
    predict: PredictSettings = field(default_factory=PredictSettings)


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
    parser = _parser()
    given = _of_command_line(parser, overrides)
    values = parser.get_defaults()
    for file in config_files(path, _to_stderr):
        values = _overlaid(Config, values, _of_file(parser, file), str(file))
    settings = parser.instantiate(_overlaid(Config, values, given, COMMAND_LINE))
    config = Config(**{f.name: getattr(settings, f.name) for f in dataclasses.fields(Config)})
    return placed(config, config.paths)


def placed(settings: _Settings, paths: PathSettings) -> _Settings:
    """Let every ``DataSource``, at any depth, lie where ``paths`` says, with its cache.

    What a source says itself counts over ``paths``.
    """
    if isinstance(settings, DataSource):
        root = settings.root or getattr(paths, settings.dataset, None)
        return replace(settings, root=root, cache=settings.cache or paths.cache)
    if isinstance(settings, tuple | list):
        return type(settings)(placed(item, paths) for item in settings)
    if not dataclasses.is_dataclass(settings):
        return settings
    names = [f.name for f in dataclasses.fields(settings)]
    return replace(settings, **{n: placed(getattr(settings, n), paths) for n in names})


def _to_stderr(line: str) -> None:
    print(f"infantpose: {line}", file=sys.stderr)


def _stranger(path: Path) -> str | None:
    """Why a file is none of ours by the rule of ``config_files``; None when it is ours."""
    sections = {f.name: get_type_hints(Config)[f.name] for f in dataclasses.fields(Config)}
    found, whole = [], True
    try:
        text = path.read_text(encoding=ENCODING, errors="replace")
        for key in _upper_keys(yaml.reader.Reader.NON_PRINTABLE.sub("\ufffd", text)):
            found.append(_current(key))
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    except yaml.YAMLError:
        whole = False
    for section, name in (key.split(".")[:2] for key in found if "." in key):
        if name in getattr(sections.get(section), "__dataclass_fields__", ()):
            return None
    unknown = next((key for key in found if key.split(".")[0] not in sections), None)
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


@cache
def _parser() -> ArgumentParser:
    """It takes a third of a second to make and does not change."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_class_arguments(Config)
    return parser


def _of_command_line(parser: ArgumentParser, overrides: Sequence[str]) -> Namespace:
    """What overrides say, checked."""
    bad = next((o for o in overrides if "=" not in o or o.startswith("-")), None)
    if bad is not None:
        raise DataError(f"config: '{bad}' is not section.key=value; write heatmap.batch_size=16")
    options = [f"--{_current(override)}" for override in overrides]
    return _checked(lambda: parser.parse_args(options, defaults=False), Path(), COMMAND_LINE)


def _of_file(parser: ArgumentParser, file: Path) -> Namespace:
    """What a file says, checked."""
    content = load_yaml(file, "config")
    if content is not None and not isinstance(content, Mapping):
        raise DataError(f"config: {file} is no mapping of sections; see the shipped {FILE_NAME}")
    return _checked(
        lambda: parser.parse_object(_renamed(content or {}), defaults=False), file.parent, str(file)
    )


def _renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says, by the present names of sections and settings."""
    present = {}
    for section, values in content.items():
        if isinstance(values, Mapping):
            values = {RENAMED.get(f"{section}.{key}", key): v for key, v in values.items()}
        present[RENAMED.get(section, section)] = values
    return present


def _current(key: str) -> str:
    """``section.key``, perhaps with more, by its present names."""
    section, dot, rest = key.partition(".")
    name, equals, value = rest.partition("=")
    present = RENAMED.get(f"{section}.{name}", name)
    return f"{RENAMED.get(section, section)}{dot}{present}{equals}{value}"


def _checked(parse: Callable[[], Namespace], folder: Path, source: str) -> Namespace:
    """One layer: only what is given, typed, within limits, its paths counted from ``folder``.

    Raises:
        DataError: it is not so.
    """
    from jsonargparse import ArgumentError

    try:
        layer = parse()
    except (ArgumentError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"config: {source}: {reason}; known keys are in {FILE_NAME}") from None
    for fault in faults(Config, vars(layer)):
        raise DataError(f"config: {source}: {fault}")
    weights = layer.get("weights")
    if weights is not None and len(Path(weights).parts) > 1:
        layer["weights"] = str(_located(Path(weights), folder))
    return _located(layer, folder)


def _overlaid(kind: type, base: Namespace, layer: Namespace, source: str) -> Namespace:
    """Replace in ``base`` what ``layer`` gives, section by section; lists are replaced whole."""
    result, hints = base.clone(), get_type_hints(kind)
    for name, value in vars(layer).items():
        if not dataclasses.is_dataclass(hints[name]):
            result[name] = value
        elif isinstance(value, type(base)):
            result[name] = _overlaid(hints[name], base[name], value, source)
        elif value is not None:
            raise DataError(f"config: {source}: {name} is {value}, must be a section of settings")
    return result


def _located(value: Any, folder: Path) -> Any:
    """Let every relative path, at any depth, count from ``folder``; ``~`` is the user's home."""
    if isinstance(value, Path):
        return folder / os.path.expanduser(value)
    if isinstance(value, tuple | list):
        return type(value)(_located(item, folder) for item in value)
    if hasattr(value, "__dict__"):
        return type(value)(**{k: _located(item, folder) for k, item in vars(value).items()})
    return value
