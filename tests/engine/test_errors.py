"""Messages are one printable line, whatever names they quote."""

from __future__ import annotations

import pytest

from Engine.errors import DataError, WriteError, one_line


@pytest.mark.parametrize("error", [DataError, WriteError])
def test_errors_are_one_printable_line(error: type[Exception]) -> None:
    raised = error("image: a\nb\t\udce9\x1b[31m \N{BABY} müde 'x'")
    assert str(raised) == r"image: a\nb\t\udce9\x1b[31m " + "\N{BABY} müde 'x'"
    assert one_line(str(raised)) == str(raised)
