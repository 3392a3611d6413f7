"""The errors that a command reports in one line: what, where, what to do."""

from __future__ import annotations

import unicodedata
from typing import TypeVar

_Value = TypeVar("_Value")

JOINERS = "\u200c\u200d"
"""They join the parts of an emoji, and shape words of some scripts."""


def one_line(text: str) -> str:
    r"""Escape what cannot be printed on one line, as names of files may hold.

    Line breaks, control characters and undecodable bytes (lone surrogates) become such as
    ``\n`` and ``\udce9``; letters of any script, emoji and spaces of any width stay.
    """
    return "".join(
        char if _is_shown(char) else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


class _OneLineError(Exception):
    """An error whose message is printable and has one line, whatever names it quotes."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class DataError(_OneLineError):
    """Input that cannot be used; exit code 2."""


class WriteError(_OneLineError):
    """A file that could not be written: disk full, folder removed; exit code 1."""


def required(value: _Value | None, what: str) -> _Value:
    """A value that must be there.

    Raises:
        DataError: it is None; ``what`` says where and which.
    """
    if value is None:
        raise DataError(f"{what} is missing")
    return value
