"""MPII in the form of Newell et al. (2016): ``annot/{train,valid}.h5``.

    imgname (n) text, or (n, length) character codes; center (n, 2), scale (n), part (n, 16, 2),
    visible (n, 16); and, where they are known, normalize (n), index (n), person (n)

The centre has been moved down and the scale multiplied by 1.25 already. A part at (0, 0) is
unlabelled; one that is elsewhere but not visible is occluded. The published parts are cut to whole
pixels. ``normalize`` is the length PCKh divides by, 0.6 of the diagonal of the head box, which in
the published files equals 0.75 of the distance from upper neck to head top.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Datasets.layouts.mpii import CENTRE_DROP, H5_SCALE
from Datasets.readers.matlab import load_hdf5
from Datasets.readers.mpii_people import People
from Datasets.skeletons import MPII_16
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE
from Engine.errors import DataError

_SHAPES = {
    "center": (2,),
    "scale": (),
    "part": (len(MPII_16), 2),
    "visible": (len(MPII_16),),
}
_OPTIONAL = {"normalize": (), "index": (), "person": ()}


def load_h5_people(path: Path) -> People:
    """Read the people of a file.

    ``normalize`` becomes ``head_length_px``, ``index`` (position of the image in the official file,
    from 0) ``image_id`` and ``person`` ``annotation_id``.

    Raises:
        DataError: the file is missing, not HDF5, or an array is missing or of another shape.
    """
    names, arrays = _load(path)
    scale = arrays["scale"] / H5_SCALE
    centre = arrays["center"] - np.array([0.0, CENTRE_DROP]) * scale[:, None]
    # A centre that is not a number is a fault here, not unknown.
    faults = [
        f"MPII: {path}, person {i} ({names[i]}): the centre is no finite number; correct the file"
        for i in np.flatnonzero(np.isnan(arrays["center"]).all(axis=1))
    ]
    labelled = (arrays["part"] != 0).any(axis=2)
    seen = np.where(arrays["visible"] > 0, VISIBLE, OCCLUDED)
    visibility = np.where(labelled, seen, UNLABELLED).astype(np.uint8)
    more = [_more(arrays, i) for i in range(len(names))]
    return People(path, names, centre, scale, arrays["part"], visibility, more, faults)


def _more(arrays: dict[str, np.ndarray], i: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "normalize" in arrays and arrays["normalize"][i] > 0:
        found["head_length_px"] = float(arrays["normalize"][i])
    for key, name in (("index", "image_id"), ("person", "annotation_id")):
        if key in arrays and np.isfinite(arrays[key][i]):
            found[name] = int(arrays[key][i])
    return found


def _load(path: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    found = load_hdf5(path, "MPII", ("imgname", *_SHAPES), _OPTIONAL)
    names, arrays = _names(path, found.pop("imgname")), {}
    for key, values in found.items():
        expected = (len(names), *{**_SHAPES, **_OPTIONAL}[key])
        if values.shape != expected or values.dtype.kind not in "fiub":
            raise DataError(
                f"MPII: {path}: '{key}' has shape {values.shape} ({values.dtype}), expected "
                f"{expected} numbers; restore the file"
            )
        arrays[key] = values.astype(np.float64)
    return names, arrays


def _names(path: Path, raw: np.ndarray) -> list[str]:
    """Image names from text or from character codes, which are filled up with 0."""
    try:
        if raw.ndim == 2 and raw.dtype.kind in "fiu":
            return [bytes(int(c) for c in row if c).decode("ascii") for row in raw]
        if raw.ndim == 1 and raw.dtype.kind in "SO":
            return [n.decode("ascii") if isinstance(n, bytes) else str(n) for n in raw]
    except (ValueError, OverflowError):
        pass
    raise DataError(f"MPII: {path}: 'imgname' holds no file names; restore the file")
