"""File names and sizes of LSP and LSP-extended, shared by what reads and what writes them."""

from __future__ import annotations

from pathlib import Path

OFFICIAL_PEOPLE = {False: 2_000, True: 10_000}
"""Official number of people, by whether the set is LSP-extended."""


def joints_file(root: Path) -> Path:
    """The one annotation file."""
    return root / "joints.mat"


def image_file(root: Path, number: int, extended: bool) -> Path:
    """Image of a person, counted from 1: ``im0001.jpg`` in LSP, ``im00001.jpg`` in the other."""
    return root / "images" / f"im{number:0{5 if extended else 4}d}.jpg"
