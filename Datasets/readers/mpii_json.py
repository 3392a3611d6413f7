"""MPII in HRNet's form: ``annot/{train,valid,trainval,test}.json`` (Sun et al., 2019).

    [{"image": "005808361.jpg", "center": [966.0, 340.0], "scale": 4.718488,
      "joints": [[804.0, 711.0], ...16], "joints_vis": [1, ...16]}, ...]

``joints_vis`` is 1 where a joint is labelled (the joint is -1, -1 where it is not): occluded
joints read as visible. ``test`` has no joints. Head boxes are not here; for ``valid`` they are
taken from ``gt_valid.mat`` where that lies beside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from Datasets.layouts.mpii import GT_VALID
from Datasets.readers.matlab import load_mat
from Datasets.readers.mpii_people import People, head_fields, place_of
from Datasets.skeletons import MPII_16
from Datasets.structures import UNLABELLED, VISIBLE
from Engine.errors import DataError
from Engine.reading import load_json

_JOINTS = len(MPII_16)
_UNKNOWN = -1
"""Centre of a person in ``test`` whose place is not known."""


def load_json_people(path: Path) -> People:
    """Read the people of a file; those of ``valid`` with the head boxes that lie beside it.

    Raises:
        DataError: the file is missing, not JSON, or no list.
    """
    rows = load_json(path, "MPII")
    if not isinstance(rows, list):
        raise DataError(f"MPII: {path} is no list of people; use HRNet's annotation files")
    names = [str(row.get("image")) if isinstance(row, dict) else "" for row in rows]
    centre, scale = np.full((len(rows), 2), np.nan), np.ones(len(rows))
    joints = np.full((len(rows), _JOINTS, 2), np.nan)
    labelled = np.zeros((len(rows), _JOINTS))
    faults = []
    for i, row in enumerate(rows):
        try:
            if not isinstance(row["image"], str):
                raise TypeError
            centre[i], scale[i] = _listed(row["center"], 2), row["scale"]
            if "joints" in row or path.stem != "test":
                joints[i] = [_listed(joint, 2) for joint in _listed(row["joints"], _JOINTS)]
                labelled[i] = _listed(row["joints_vis"], _JOINTS)
        except (KeyError, TypeError, ValueError, OverflowError):
            faults.append(f"{place_of(path, i, names[i])} {_reason(row)}; correct the file")
    for i in np.flatnonzero(~np.isin(labelled, (0, 1)).all(axis=1)).tolist():
        faults.append(f"{place_of(path, i, names[i])}: joints_vis is 0 or 1; correct the file")
    centre[centre[:, 0] == _UNKNOWN] = np.nan
    visibility = np.where(labelled > 0, VISIBLE, UNLABELLED).astype(np.uint8)
    more: list[dict[str, Any]] = [{} for _ in rows]
    people = People(path, names, centre, scale, joints, visibility, more, faults)
    if path.stem == "valid" and path.with_name(GT_VALID).is_file():
        faults += _add_heads(people, path.with_name(GT_VALID))
    return people


def _listed(values: Any, count: int) -> list[Any]:
    """A list as it is, when it has that many: numpy would repeat a single value."""
    if not isinstance(values, list) or len(values) != count:
        raise ValueError
    return values


def _reason(row: Any) -> str:
    joints = row.get("joints") if isinstance(row, dict) else None
    if isinstance(joints, list) and len(joints) != _JOINTS:
        return f"has {len(joints)} joints, expected {_JOINTS}"
    return "needs image, center, scale, 16 joints and 16 joints_vis"


def _add_heads(people: People, path: Path) -> list[str]:
    """Give every person the head box of ``gt_valid.mat``; returns why it does not fit, if so."""
    names = ["headboxes_src", "jnt_missing", "pos_gt_src"]
    try:
        content = load_mat(path, "MPII", names)
    except DataError as error:
        return [str(error)]
    count = len(people.names)
    shapes = ((2, 2, count), (_JOINTS, count), (_JOINTS, 2, count))
    faults = []
    for name, shape in zip(names, shapes, strict=True):
        found = content.get(name)
        if found is None or found.shape != shape or found.dtype.kind not in "fiub":
            state = "is missing" if found is None else f"has shape {found.shape}"
            faults.append(f"MPII: {path}: {name} {state}, expected numbers of shape {shape}")
    if faults:
        return [f"{fault}; it belongs beside the whole valid.json" for fault in faults]
    both = (people.visibility > 0) & (content["jnt_missing"].T == 0)
    apart = np.abs(content["pos_gt_src"].transpose(2, 0, 1) - people.joints_px)[both]
    # Published files differ by a rounded pixel: a file of other people differs by far more.
    if apart.size and not np.median(apart) <= 1:
        return [f"MPII: {path} holds other people than {people.source}; restore both from one set"]
    heads = content["headboxes_src"].transpose(2, 0, 1).reshape(count, 4)
    lost = np.flatnonzero(~np.isfinite(heads).all(axis=1))
    for more, head in zip(people.more, heads, strict=True):
        more.update(head_fields(head))
    return [f"MPII: {path}: head box {i} is no finite number; restore the file" for i in lost]
