"""MATLAB files of version 5 to 7 and HDF5 files (MATLAB 7.3), with one-line errors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from Engine.errors import DataError
from Engine.reading import require_file


def load_mat(path: Path, what: str, names: list[str] | None = None, **options: Any) -> dict:
    """Read variables of a MATLAB file.

    Args:
        path: the file.
        what: said first in an error.
        names: variables to read, default all; one that the file lacks is missing in the answer.
        options: of ``scipy.io.loadmat``.

    Raises:
        DataError: the file is missing, damaged or of version 7.3.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    path = require_file(path, what)
    try:
        with path.open("rb") as file:
            return loadmat(file, variable_names=names, **options)
    except NotImplementedError:
        raise DataError(
            f"{what}: {path} is a MATLAB 7.3 file, expected version 5 to 7; save it with -v7"
        ) from None
    except (
        *(MatReadError, OSError, EOFError, ValueError, TypeError, LookupError),
        *(AttributeError, NameError, OverflowError, MemoryError, struct.error, zlib.error),
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{what}: {path} is no MATLAB file ({reason}); restore it") from None


def load_hdf5(
    path: Path, what: str, names: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, np.ndarray]:
    """Read arrays of an HDF5 file.

    Args:
        path: the file.
        what: said first in an error.
        names: arrays that the file must have.
        optional: arrays that it may have.

    Raises:
        DataError: the file is missing or damaged, or lacks an array.
    """
    import h5py

    arrays = {}
    try:
        with h5py.File(require_file(path, what), "r") as file:
            for name in (*names, *(name for name in optional if name in file)):
                # A link of another kind could lead to any file of this machine.
                own = isinstance(file.get(name, getlink=True), h5py.HardLink)
                if not own or not isinstance(file[name], h5py.Dataset):
                    raise DataError(f"{what}: {path} has no array '{name}'; restore the file")
                arrays[name] = np.asarray(file[name][()])
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{what}: {path} is no readable HDF5 file ({reason}); restore it") from None
    return arrays
