"""MATLAB and HDF5 files whose bytes depend on nothing but their content.

They are made in memory: what they hold is labels, small beside the pictures.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from Engine.files import write_bytes


def write_mat(
    path: Path, content: Mapping[str, np.ndarray], layout: str, compressed: bool = True
) -> Path:
    """Write a MATLAB file of version 5; its header states no time and no machine.

    Args:
        path: the file.
        content: variables.
        layout: name of the data set, for the header.
        compressed: whether each variable is.

    Returns:
        The file.
    """
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, content, do_compression=compressed)
    buffer.seek(0)
    buffer.write(f"MATLAB 5.0 MAT-file, {layout} layout".encode().ljust(116))
    write_bytes(path, buffer.getbuffer())
    return path


def write_hdf5(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    attributes: Mapping[str, Any] | None = None,
    userblock: bytes = b"",
) -> Path:
    """Write an HDF5 file; returns the file.

    Args:
        path: the file.
        arrays: by their names.
        attributes: of each array.
        userblock: what stands before the file's own bytes: none, 512 or twice as many, and so on.
    """
    import h5py

    buffer = path.name  # a name alone: nothing is written under it, an image in memory is made
    with h5py.File(
        buffer, "w", driver="core", backing_store=False, userblock_size=len(userblock)
    ) as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values).attrs.update(attributes or {})
        file.flush()
        image = file.id.get_file_image()
    write_bytes(path, userblock + image)
    return path
