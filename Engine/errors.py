"""The errors that a command reports in one line: what, where, what to do."""

from __future__ import annotations


class ReportedError(Exception):
    """An error whose message is all that the user needs.

    Attributes:
        exit_code: of the command that reports it.
    """

    exit_code = 1


class DataError(ReportedError):
    """Input that cannot be used; exit code 2."""

    exit_code = 2


class WriteError(ReportedError):
    """A file that could not be written: disk full, folder removed; exit code 1."""
