"""The errors that a command reports in one line: what, where, what to do."""

from __future__ import annotations


def one_line(text: str) -> str:
    r"""Escape what cannot be printed on one line, as names of files may hold.

    Line breaks, control characters and undecodable bytes (lone surrogates) become such as
    ``\n`` and ``\udce9``; letters of any script and emoji stay.
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


class _OneLineError(Exception):
    """An error whose message is printable and has one line, whatever names it quotes."""

    def __str__(self) -> str:
        return one_line(super().__str__())


class DataError(_OneLineError):
    """Input that cannot be used; exit code 2."""


class WriteError(_OneLineError):
    """A file that could not be written: disk full, folder removed; exit code 1."""
