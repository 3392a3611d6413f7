"""Settings from text: what a file or the command line gives, laid over a dataclass of settings.

A value is converted to the type of its setting and held to its limits; a relative path counts from
the folder of the file that names it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from Engine.errors import DataError
from Engine.settings import Settings, limits_of

_Section = TypeVar("_Section", bound=Settings)


def overlaid(base: _Section, given: Mapping[str, Any], folder: Path, key: str = "") -> _Section:
    """Replace in ``base`` what is given, section by section; lists are replaced whole.

    A section with a ``kind`` may become one of another kind, see ``of_kind``; it then begins with
    the defaults of that kind.

    Args:
        base: settings.
        given: plain values by name, as YAML has them; an empty section changes nothing.
        folder: from which relative paths count.
        key: of ``base``, such as ``heatmap.``, for messages.

    Raises:
        DataError: an unknown name, a value of another type or beyond its limits.
    """
    kind: type = type(base)
    hints, changes = _hints(kind), {}
    for name, value in given.items():
        if name not in hints:
            raise DataError(f"{key}{name} is no setting; choose one of {', '.join(hints)}")
        section = getattr(base, name)
        if not _is_section(hints[name]):
            changes[name] = _checked(kind, name, value, folder, f"{key}{name}")
        elif isinstance(value, Mapping):
            section = _of_kind(hints[name], section, value, f"{key}{name}")
            changes[name] = overlaid(section, value, folder, f"{key}{name}.")
        elif value is not None:
            raise DataError(f"{key}{name} is {value}, must be a section of settings")
    return dataclasses.replace(base, **changes)


def _of_kind(hint: type, section: Settings, given: Mapping[str, Any], key: str) -> Settings:
    """The section itself, or the defaults of the kind that is given."""
    kind = given.get("kind", getattr(section, "kind", None))
    if kind == getattr(section, "kind", None):
        return section
    return hint.of_kind(kind, key)() if hasattr(hint, "of_kind") else section


def _checked(owner: type, name: str, value: Any, folder: Path, key: str) -> Any:
    """A value as the type of a setting, within its limits."""
    try:
        value = _typed(_hints(owner)[name], value, folder, key)
    except ValueError as error:
        raise DataError(f"{key} is {value!r}, must be {error}") from None
    limits = limits_of(owner, name)
    if limits is not None and not limits.hold(value):
        raise DataError(f"{key} is {value}, must lie {limits}")
    return value


def _typed(hint: Any, value: Any, folder: Path, key: str) -> Any:
    """A plain value as a type.

    Raises:
        ValueError: it is none; the message says what is.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (kind,) = (part for part in parts if part is not NoneType)
        return None if value is None else _typed(kind, value, folder, key)
    if origin is Literal:
        if any(value == part and type(value) is type(part) for part in parts):
            return value
        raise ValueError(f"one of {', '.join(map(str, parts))}")
    if origin is tuple:
        ends = parts[-1] is not Ellipsis
        if not isinstance(value, list | tuple) or (ends and len(value) != len(parts)):
            raise ValueError(f"a list of {len(parts)}" if ends else "a list")
        kinds = parts if ends else parts[:1] * len(value)
        pairs = zip(kinds, value, strict=True)
        return tuple(_typed(kind, item, folder, key) for kind, item in pairs)
    if _is_section(hint):
        return _made(hint, value, folder, key)
    return _scalar(hint, value, folder)


def _made(kind: type[_Section], value: Any, folder: Path, key: str) -> _Section:
    """Settings that stand in a list or for None, such as a data set."""
    names = {f.name: f.default is dataclasses.MISSING for f in dataclasses.fields(kind)}
    if not isinstance(value, Mapping):
        raise ValueError(f"a mapping with {next(iter(names))}")
    for name in [*(n for n, needed in names.items() if needed and n not in value), *value]:
        if name not in names or name not in value:
            what = "is missing" if name in names else "is no setting"
            raise DataError(f"{key}.{name} {what}")
    return kind(**{n: _checked(kind, n, v, folder, f"{key}.{n}") for n, v in value.items()})


def _scalar(kind: type, value: Any, folder: Path) -> Any:
    """A number, truth value, text or path; YAML reads ``1e-3`` as text and ``1`` as a number."""
    if kind is bool and isinstance(value, bool):
        return value
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    elif kind in (str, Path) and isinstance(value, str | int | float | Path):
        text = str(value)
        return text if kind is str else folder / os.path.expanduser(text)
    words = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
    raise ValueError(words.get(kind, "text"))


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
