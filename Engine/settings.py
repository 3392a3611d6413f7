"""Limits of settings: stated once beside each default, checked however a value was given.

A class of settings is a dataclass that derives from ``Settings``; its numeric fields are made by
``limited`` and its kin. Whoever constructs it with a value beyond a limit gets a ``DataError``. The
command line and config.yaml ask ``faults`` and ``limits_of`` for the same limits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, get_args, get_type_hints

from Engine.errors import DataError

_KEY = "limits"


class Limits(NamedTuple):
    """A closed interval of numbers; NaN lies in none.

    Attributes:
        low: the least value.
        high: the greatest.
        ascending: whether the numbers of a tuple must not fall.
    """

    low: float
    high: float
    ascending: bool = False

    def hold(self, value: Any) -> bool:
        """Whether a number, or each of a tuple's at any depth, lies within; None always does."""
        if isinstance(value, tuple | list):
            falls = self.ascending and any(a > b for a, b in pairwise(value))
            return all(map(self.hold, value)) and not falls
        try:
            return value is None or bool(self.low <= value <= self.high)
        except TypeError:
            return False

    def __str__(self) -> str:
        words = f"from {_short(self.low)} to {_short(self.high)}"
        return f"{words} and ascend" if self.ascending else words


SHARE = Limits(0.0, 1.0)
SEED = Limits(0, 2**32 - 1)
COUNT = Limits(1, 1_000_000)
PROCESSES = Limits(0, 256)
"""0 works in the process itself."""


def limited(default: Any, low: float, high: float) -> Any:
    """A field whose number, or each of whose numbers, lies from ``low`` to ``high``, or is None.

    ``default`` is ``...`` where there is none.
    """
    return _field(default, Limits(low, high))


def interval(least: float, most: float, low: float, high: float) -> Any:
    """A field of two numbers that ascend, by default ``least`` and ``most``, within limits."""
    return _field((least, most), Limits(low, high, ascending=True))


def share(default: float | None) -> Any:
    """A field from 0 to 1."""
    return _field(default, SHARE)


def count(default: int | None) -> Any:
    """A field that counts from 1."""
    return _field(default, COUNT)


def seed(default: int = 0) -> Any:
    """A field that random generators begin with."""
    return _field(default, SEED)


def processes(default: int) -> Any:
    """A field that counts processes beside this one."""
    return _field(default, PROCESSES)


def _field(default: Any, limits: Limits) -> Any:
    default = dataclasses.MISSING if default is ... else default
    return dataclasses.field(default=default, metadata={_KEY: limits})


@dataclasses.dataclass(frozen=True)
class Settings:
    """Refuses values beyond the limits of its fields.

    Raises:
        DataError: the first such value, with its class and its key.
    """

    def __post_init__(self) -> None:
        for fault in faults(type(self), vars(self), f"{type(self).__name__}."):
            raise DataError(f"settings: {fault}")


def faults(kind: type, values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Name what is beyond its limits, at any depth.

    Args:
        kind: a dataclass of settings.
        values: what is given of its fields; sections may be objects with the fields as attributes.
        prefix: of the keys, such as ``predict.``.

    Yields:
        Text such as ``predict.fov_degrees is 180, must lie from 5 to 170``.
    """
    sections = _sections(kind)
    for field in dataclasses.fields(kind):
        value, name = values.get(field.name), f"{prefix}{field.name}"
        limits = field.metadata.get(_KEY)
        if limits is not None and not limits.hold(value):
            yield f"{name} is {value}, must lie {limits}"
        if field.name in sections:
            for item in value if isinstance(value, tuple | list) else (value,):
                if hasattr(item, "__dict__"):
                    yield from faults(sections[field.name], vars(item), f"{name}.")


def limits_of(kind: type, name: str) -> Limits | None:
    """The limits of a field of a dataclass; None where it has none."""
    return next(f for f in dataclasses.fields(kind) if f.name == name).metadata.get(_KEY)


@cache
def _sections(kind: type) -> dict[str, type]:
    """Fields that are, or may hold, settings themselves, with the class of those."""
    found = {}
    for name, hint in get_type_hints(kind).items():
        for part in (hint, *get_args(hint)):
            if isinstance(part, type) and issubclass(part, Settings):
                found[name] = part
    return found


def _short(number: float) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)
