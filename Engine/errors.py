"""The errors that a command reports in one line: what, where, what to do."""

from __future__ import annotations


class DataError(Exception):
    """Input that cannot be used; exit code 2."""


class WriteError(Exception):
    """A file that could not be written: disk full, folder removed; exit code 1."""
