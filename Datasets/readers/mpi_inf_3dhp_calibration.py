"""``camera.calibration`` of MPI-INF-3DHP: a keyword and its numbers on each line.

    Skeletool Camera Calibration File V1.0
    name          0
      sensor      14.1864 10.3776
      size        2048 2048
      animated    0
      intrinsic   fx 0 cx 0  0 fy cy 0  0 0 1 0  0 0 0 1        pixels
      extrinsic   r11 r12 r13 tx  r21 .. ty  r31 .. tz  0 0 0 1   world to camera, millimetres
      radial      0

Part of the reader in ``mpi_inf_3dhp.py``. Indentation, blank lines and columns do not matter.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.layouts.mpi_inf_3dhp import CalibratedCamera
from Engine.errors import DataError
from Engine.reading import read_ascii, require_file


def read_calibration(path: Path) -> dict[int, CalibratedCamera]:
    """Read the cameras of a sequence by number.

    Raises:
        DataError: the file is missing or not text, or a camera lacks a keyword, repeats, or has
            numbers that make no camera.
    """
    path = require_file(path, "camera calibration")
    try:
        lines = read_ascii(path).splitlines()
    except (OSError, UnicodeError):
        raise DataError(f"camera calibration: {path} is not plain text; restore it") from None
    blocks: dict[int, dict[str, list[str]]] = {}
    block: dict[str, list[str]] = {}
    for row, line in enumerate(lines, 1):
        keyword, *values = line.split() or [""]
        if keyword == "name":
            name = " ".join(values)
            if not name.isdecimal():
                raise DataError(
                    f"camera calibration: {path}, line {row}: camera name '{name}' is no number; "
                    "restore it"
                )
            number = int(name)
            if number in blocks:
                raise DataError(f"camera calibration: {path}, line {row} repeats camera {number}")
            block = blocks[number] = {}
        block[keyword] = values
    if not blocks:
        raise DataError(f"camera calibration: {path} names no camera; restore it")
    return {number: _camera(path, number, block) for number, block in blocks.items()}


def _camera(path: Path, number: int, block: dict[str, list[str]]) -> CalibratedCamera:
    """Turn the lines of one camera to numbers."""
    where, arrays = f"camera calibration: {path}, camera {number}", []
    for keyword, count in (("size", 2), ("intrinsic", 16), ("extrinsic", 16)):
        if keyword not in block:
            raise DataError(f"{where} lacks '{keyword}'; restore the file")
        try:
            values = np.array(block[keyword], dtype=np.float64)
        except ValueError:
            values = np.array([np.nan])
        if values.shape != (count,) or not np.isfinite(values).all():
            raise DataError(f"{where}: '{keyword}' needs {count} finite numbers; restore the file")
        arrays.append(values)
    (width, height), intrinsics, extrinsics = arrays
    intrinsics = intrinsics.reshape(4, 4)[:3, :3]
    if min(width, height, intrinsics[0, 0], intrinsics[1, 1]) <= 0 or intrinsics[2, 2] != 1:
        raise DataError(
            f"{where} has no positive size and focal lengths with a last row 0 0 1; restore it"
        )
    return CalibratedCamera(number, intrinsics, extrinsics.reshape(4, 4), (int(width), int(height)))
