"""Messages are one printable line, whatever names they quote."""

from __future__ import annotations

import pytest

from Engine.errors import DataError, WriteError, one_line


@pytest.mark.parametrize("error", [DataError, WriteError])
def test_errors_are_one_printable_line(error: type[Exception]) -> None:
    raised = error("image: a\nb\t\udce9\x1b[31m \N{BABY} müde 'x'")
    assert str(raised) == r"image: a\nb\t\udce9\x1b[31m " + "\N{BABY} müde 'x'"
    assert one_line(str(raised)) == str(raised)


def test_spaces_and_joiners_of_names_stay() -> None:
    family = "\N{MAN}\u200d\N{WOMAN}\u200d\N{BABY}"
    name = f"{family} 3.04\u202fPM 10\xa0mm \u3000 \u0645\u06cc\u200c\u062e"
    assert one_line(name) == name
    assert one_line("a\u2028b\u2029c\x85d\u202ee") == r"a\u2028b\u2029c\x85d\u202ee"
