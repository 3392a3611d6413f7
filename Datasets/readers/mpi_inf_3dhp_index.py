"""Labels of MPI-INF-3DHP's training set as memory-mapped arrays, made once from the MATLAB files.

Opening 16 ``annot.mat`` files takes gigabytes and minutes; their converted labels open at once and
take only the memory of what is read. A cache folder holds, for each sequence,

    mpi_inf_3dhp/S1_Seq1-<path>-<state>/annot2.npy       (camera, frame, 28, 2) float32, pixels
                                        annot3.npy       (camera, frame, 28, 3) float32, millimetres
                                        univ_annot3.npy  likewise, of a person of standard height
                                        cameras.npy      (camera,) their numbers

where <path> stands for the MATLAB file's place and <state> for its size and time of change. A
folder appears whole or not at all, and replaces those of earlier states.

Part of the reader in ``mpi_inf_3dhp.py``.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.readers.matlab import load_mat
from Datasets.skeletons import MPI_INF_28
from Engine.errors import DataError
from Engine.reading import require_file

FORMAT = 1
"""Raised when the cached form changes, so that older folders are made again."""

CHANNELS = {"annot2": 2, "annot3": 3, "univ_annot3": 3}
"""Arrays of ``annot.mat`` and the numbers in them for each joint."""

WHAT = "MPI-INF-3DHP annotation"
JOINTS = len(MPI_INF_28)


@dataclass(frozen=True)
class SequenceLabels:
    """Labels of one sequence on disk.

    Attributes:
        folder: where the arrays lie.
    """

    folder: Path

    @cached_property
    def cameras(self) -> tuple[int, ...]:
        """Numbers of the cameras, in the order of the arrays' first axis."""
        return tuple(self["cameras"].tolist())

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self["annot2"].shape[1]

    def __getitem__(self, name: str) -> np.ndarray:
        """Return an array by its name: ``cameras`` or one of ``CHANNELS``, see the module."""
        if name not in self._arrays:
            path = self.folder / f"{name}.npy"
            try:
                self._arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                reason = " ".join(str(error).split())
                raise DataError(
                    f"cache: {path} is unreadable ({reason}); remove {self.folder}"
                ) from None
        return np.asarray(self._arrays[name])

    def release(self) -> None:
        """Let the system take back the memory of what was read: the files keep it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for array in self._arrays.values():
                # NumPy's stubs lack the attribute
                array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]

    @cached_property
    def _arrays(self) -> dict[str, np.memmap]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # A worker process maps the files itself instead of receiving gigabytes.
        return {"folder": self.folder}


def indexed(
    annotations: Path, cache: Path, name: str, limit: int | None = None
) -> tuple[SequenceLabels, bool]:
    """Labels of a sequence from the cache, converted first where they are not there.

    Args:
        annotations: the sequence's ``annot.mat``.
        cache: folder of caches, made when missing.
        name: of the sequence, for the folder.
        limit: frames to keep, from the first; None keeps all.

    Returns:
        The labels, and whether they had to be converted.

    Raises:
        DataError: the file is missing or is not what it should be, or the cache cannot be written.
    """
    annotations = require_file(annotations, WHAT)
    state = annotations.stat()
    place = _digest(annotations.resolve())
    change = _digest(FORMAT, state.st_size, state.st_mtime_ns, limit)
    base = Path(cache) / "mpi_inf_3dhp"
    folder = base / f"{name}-{place}-{change}"
    if folder.is_dir():
        return SequenceLabels(folder), False
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base, prefix=f".{name}-") as temporary:
            _convert(annotations, Path(temporary) / "new", limit)
            try:
                (Path(temporary) / "new").rename(folder)
            except OSError:
                if not folder.is_dir():  # another process was faster
                    raise
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise DataError(
            f"cache: {base} cannot be written ({reason}); choose another paths.cache"
        ) from None
    for old in base.glob(f"{name}-{place}-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return SequenceLabels(folder), True


def _digest(*values: Any) -> str:
    text = "|".join(os.fspath(v) if isinstance(v, Path) else str(v) for v in values)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _convert(annotations: Path, temporary: Path, limit: int | None) -> None:
    """Write the arrays of one MATLAB file, one after the other: each is up to 120 MB."""
    temporary.mkdir()
    cameras = read_cameras(annotations)
    first: tuple[tuple[int, ...], set[int]] | None = None
    for name, channels in CHANNELS.items():
        cells = dict(read_cells(annotations, name, cameras, limit))
        found = (tuple(cells), {len(cell) for cell in cells.values()})
        if len(found[1]) > 1 or found != (first or found):
            raise DataError(
                f"{WHAT}: {annotations}, '{name}' has other frames or cameras than its neighbours; "
                "restore the file"
            )
        first = found
        shape = (len(cells), *found[1], JOINTS, channels)
        _write(temporary / f"{name}.npy", shape, "<f4", cells.values())
    numbers = first[0] if first else ()
    _write(temporary / "cameras.npy", (len(numbers),), "<i8", [numbers])


def _write(temporary: Path, shape: tuple[int, ...], kind: str, parts: Iterable[Any]) -> None:
    """Write an npy file; not mapped, so that a full disk is an error and not a signal."""
    with temporary.open("wb") as file:
        header = {"shape": shape, "fortran_order": False, "descr": kind}
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype=kind).data)


def read_cameras(annotations: Path) -> tuple[int, ...] | None:
    """Camera number of every cell as the file states it; None where it does not.

    Raises:
        DataError: the file cannot be read or the numbers are none or repeat.
    """
    stated = load_mat(annotations, WHAT, ["cameras"]).get("cameras")
    if stated is None:
        return None
    try:
        numbers = tuple(int(np.asarray(value).item()) for value in np.ravel(stated))
    except (TypeError, ValueError):
        numbers = (-1,)
    if len(set(numbers)) < len(numbers) or min(numbers, default=-1) < 0:
        raise DataError(f"{WHAT}: {annotations}, 'cameras' holds no camera numbers; restore it")
    return numbers


def read_cells(
    annotations: Path, name: str, cameras: tuple[int, ...] | None, limit: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Read one cell array of ``annot.mat``: the labels of each camera that has any.

    Args:
        annotations: the file.
        name: a key of ``CHANNELS``.
        cameras: camera number of every cell, default their positions.
        limit: frames to keep.

    Yields:
        Camera number and (frame, 28, 2 or 3) labels.

    Raises:
        DataError: the array is missing, is no cell of numbers, has another number of joints or
            values that are not finite.
    """
    cells = load_mat(annotations, WHAT, [name]).get(name)
    if cells is None or cells.dtype != object:
        raise DataError(f"{WHAT}: {annotations} has no cell array '{name}'; restore the file")
    cells = cells.ravel()
    cameras = cameras or tuple(range(len(cells)))
    if len(cells) != len(cameras):
        raise DataError(
            f"{WHAT}: {annotations} has {len(cells)} cells '{name}' for {len(cameras)} cameras; "
            "restore the file"
        )
    filled = [(n, np.asarray(c)) for n, c in zip(cameras, cells, strict=True) if np.size(c)]
    if not filled:
        raise DataError(f"{WHAT}: {annotations}, '{name}' is empty; restore the file")
    for number, cell in filled:
        yield number, _checked(cell, f"{WHAT}: {annotations}, {name}, camera {number}", name, limit)


def _checked(cell: np.ndarray, where: str, name: str, limit: int | None) -> np.ndarray:
    """Give one cell the shape (frame, 28, channel)."""
    channels = CHANNELS[name]
    columns = JOINTS * channels
    if cell.dtype.kind not in "fiu" or cell.ndim != 2 or cell.shape[1] != columns:
        raise DataError(
            f"{where}: {cell.dtype} of shape {cell.shape}, expected numbers in {columns} columns "
            f"({JOINTS} joints); restore the file"
        )
    with np.errstate(over="ignore"):  # what float32 does not hold becomes infinite
        values = cell[:limit].astype(np.float32)
    if not np.isfinite(values).all():
        frame, column = np.argwhere(~np.isfinite(values))[0]
        joint = MPI_INF_28.joints[column // channels]
        raise DataError(f"{where}, row {frame + 1}: {joint} is not finite; restore the file")
    return values.reshape(-1, JOINTS, channels)
