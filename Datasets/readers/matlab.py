"""MATLAB files of version 5 to 7, with one-line errors; version 7.3 is HDF5 and read elsewhere."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

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
