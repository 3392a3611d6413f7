"""MPII Human Pose as it lies on disk (Andriluka et al., 2014), in its three usual forms.

    root/images/015601864.jpg
    root/annot/{train,valid,trainval,test}.json        the split of most papers (HRNet)
    root/annot/gt_valid.mat                            head boxes of valid, optional
    root/annot/{train,valid}.h5                        the same split, anewell's form
    root/mpii_human_pose_v1_u12_1.mat                  the official file (``mpii_mat.py``)

Coordinates in all of them count from 1 and become 0-based here. A person's ``box_xyxy`` is the
square of the annotated centre and scale after the official correction (15 times the scale down),
200 px times the scale wide: padded by 1.25 it is the published crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from Datasets.layouts.mpii import CENTRE_DROP, H5_ARRAYS, H5_SCALE, HEAD_BOXES, PERSON_PX
from Datasets.readers.base import inside, load_json, require_file, require_folder
from Datasets.readers.matlab import load_mat
from Datasets.readers.mpii_mat import find_mat, read_mpii_mat
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, UNLABELLED, VISIBLE, DataError, Dataset, PoseSample

_PARTS = {"train": "train", "validation": "valid", "valid": "valid", "trainval": "trainval"}
_JOINTS = len(MPII_16)


@dataclass(frozen=True)
class _People:
    """Annotations of all people: centre and scale as annotated, joints in 0-based pixels."""

    names: list[str]
    centre: np.ndarray
    scale: np.ndarray
    joints: np.ndarray
    visibility: np.ndarray
    heads: np.ndarray | None = None
    lengths: np.ndarray | None = None


def open_mpii(root: Path | str, split: str = "all", skeleton: Skeleton | None = None) -> Dataset:
    """Open a part of the data set in the first form that the folder has: JSON, h5, official file.

    Args:
        root: the folder that holds ``images`` and the annotations.
        split: ``train`` or ``validation`` of the published split, ``trainval`` for both, ``test``
            (without labels), or ``all`` that is labelled. The official file alone knows ``train``
            (which then holds the people of ``validation`` too, as a note says), ``test``, ``all``.
        skeleton: convention of the samples, default MPII's own.

    Raises:
        DataError: a folder without annotations, an unknown split, or damaged files.
    """
    root, skeleton = require_folder(root, "MPII"), skeleton or MPII_16
    if split == "all":
        return _all(root, skeleton)
    name = _PARTS.get(split, split)
    if (root / "annot" / f"{name}.json").is_file():
        return read_mpii_json(root, name, skeleton)
    if (root / "annot" / f"{name}.h5").is_file():
        return read_mpii_h5(root, name, skeleton)
    if find_mat(root) is not None:
        return read_mpii_mat(root, name, skeleton)
    raise DataError(
        f"MPII: {root} has no annot/{name}.json, annot/{name}.h5 or official .mat; check the folder"
    )


def _all(root: Path, skeleton: Skeleton) -> Dataset:
    """Everything labelled, each person once."""
    for ending, read in (("json", read_mpii_json), ("h5", read_mpii_h5)):
        present = [n for n in ("train", "valid") if (root / "annot" / f"{n}.{ending}").is_file()]
        if present:
            parts = [read(root, name, skeleton) for name in present]
            samples = tuple(sample for part in parts for sample in part.samples)
            return Dataset("mpii", root, skeleton, samples)
    if (root / "annot" / "trainval.json").is_file():
        return read_mpii_json(root, "trainval", skeleton)
    return open_mpii(root, "train", skeleton)


def person_box(
    centre_px: Float[np.ndarray, "*n 2"], scale: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n 4"]:
    """Square of a 1-based, uncorrected centre and scale, 0-based pixels."""
    scale = np.asarray(scale)[..., None]
    middle = np.asarray(centre_px) + np.array([0.0, CENTRE_DROP]) * scale - 1
    half = PERSON_PX / 2 * scale
    return np.concatenate([middle - half, middle + half], axis=-1)


def read_mpii_json(root: Path | str, name: str, skeleton: Skeleton = MPII_16) -> Dataset:
    """Read ``annot/NAME.json``; its ``joints_vis`` says labelled or not, nothing of occlusion.

    Args:
        root: the folder that holds ``annot`` and ``images``.
        name: ``train``, ``valid``, ``trainval`` or ``test`` (whose people have no joints).
        skeleton: convention of the samples.

    Raises:
        DataError: the file is missing or damaged, or names an image outside ``images``.
    """
    faults: list[str] = []
    return _sound(collect_json(Path(root), name, skeleton, faults), faults)


def collect_json(root: Path, name: str, skeleton: Skeleton, faults: list[str]) -> Dataset:
    """Read ``annot/NAME.json`` and add a line to ``faults`` for every person that is left out."""
    path = root / "annot" / f"{name}.json"
    rows = load_json(path, "MPII")
    if not isinstance(rows, list):
        raise DataError(f"MPII: {path} is no list of people; use HRNet's annotation files")
    centre, scale = np.empty((len(rows), 2)), np.empty(len(rows))
    joints, seen = np.full((len(rows), _JOINTS, 2), np.nan), np.zeros((len(rows), _JOINTS), bool)
    readable = np.ones(len(rows), bool)
    for number, row in enumerate(rows):
        try:
            centre[number], scale[number] = row["center"], row["scale"]
            if "joints" in row:
                joints[number], seen[number] = row["joints"], np.array(row["joints_vis"]) > 0
        except (KeyError, TypeError, ValueError):
            faults.append(_bad_row(path, number, row))
            readable[number] = False
    joints = np.where(seen[..., None], joints - 1, np.nan)
    heads = _head_boxes(root, len(rows)) if name == "valid" else None
    people = _People(
        names=[str(row.get("image", "")) if isinstance(row, dict) else "" for row in rows],
        centre=centre,
        scale=scale,
        joints=joints,
        visibility=np.where(seen, VISIBLE, UNLABELLED).astype(np.uint8),
        heads=heads,
    )
    return _dataset(root, path, people, skeleton, faults, readable)


def _sound(data: Dataset, faults: list[str]) -> Dataset:
    """Hand on what was read, if nothing was wrong."""
    if faults:
        raise DataError(faults[0])
    return data


def _bad_row(path: Path, number: int, row: Any) -> str:
    joints = row.get("joints") if isinstance(row, dict) else None
    if isinstance(joints, list) and len(joints) != _JOINTS:
        return f"MPII: {path}, person {number}: {len(joints)} joints, expected 16; correct the file"
    return (
        f"MPII: {path}, person {number} needs image, center, scale, 16 joints and joints_vis; "
        "correct the file"
    )


def _finite(people: _People) -> np.ndarray:
    """Whose (n,) centre, scale and labelled joints are finite, the scale above 0."""
    whole = np.isfinite(people.centre).all(axis=1) & np.isfinite(people.scale)
    unlabelled = people.visibility == UNLABELLED
    known = (np.isfinite(people.joints).all(axis=2) | unlabelled).all(axis=1)
    return whole & (people.scale > 0) & known


def _head_boxes(root: Path, count: int) -> np.ndarray | None:
    """Boxes (n, 4) of heads in 0-based pixels from ``gt_valid.mat``, where it lies beside."""
    path = root / "annot" / HEAD_BOXES
    if not path.is_file():
        return None
    boxes = load_mat(path, "MPII", ["headboxes_src"]).get("headboxes_src")
    if boxes is None or boxes.shape != (2, 2, count):
        shape = None if boxes is None else boxes.shape
        raise DataError(
            f"MPII: {path}, headboxes_src has shape {shape}, expected (2, 2, {count}); restore it"
        )
    return boxes.transpose(2, 0, 1).reshape(count, 4).astype(np.float64) - 1


def read_mpii_h5(root: Path | str, name: str, skeleton: Skeleton = MPII_16) -> Dataset:
    """Read ``annot/NAME.h5``; ``normalize`` becomes ``head_length_px``.

    In the published files that length is three quarters of the distance between upper neck and head
    top. A joint at (0, 0) is unlabelled; one that is labelled but not ``visible`` is occluded.

    Args:
        root: the folder that holds ``annot`` and ``images``.
        name: ``train`` or ``valid``.
        skeleton: convention of the samples.

    Raises:
        DataError: the file is missing or damaged, or names an image outside ``images``.
    """
    faults: list[str] = []
    return _sound(collect_h5(Path(root), name, skeleton, faults), faults)


def collect_h5(root: Path, name: str, skeleton: Skeleton, faults: list[str]) -> Dataset:
    """Read ``annot/NAME.h5`` and add a line to ``faults`` for every person that is left out."""
    path = root / "annot" / f"{name}.h5"
    arrays, names = _load_h5(path)
    scale = arrays["scale"] / H5_SCALE
    seen = (arrays["part"] != 0).any(axis=2)
    joints = np.where(seen[..., None], arrays["part"] - 1, np.nan)
    # The centre has been moved down already.
    centre = arrays["center"] - np.stack([0 * scale, CENTRE_DROP * scale], axis=1)
    hidden = np.where(arrays["visible"] > 0, VISIBLE, OCCLUDED)
    visibility = np.where(seen, hidden, UNLABELLED).astype(np.uint8)
    lengths = arrays["normalize"]
    people = _People(names, centre, scale, joints, visibility, lengths=lengths)
    return _dataset(root, path, people, skeleton, faults)


def _load_h5(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Arrays and image names, which are text or numbers of characters."""
    import h5py

    require_file(path, "MPII")
    try:
        with h5py.File(path) as file:
            arrays = {key: np.asarray(file[key][()], np.float64) for key in H5_ARRAYS}
            raw = file["imgname"][()]
    except (OSError, KeyError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"MPII: {path} is unreadable ({reason}); restore it") from None
    for key, shape in H5_ARRAYS.items():
        if arrays[key].shape != (len(raw), *shape):
            raise DataError(
                f"MPII: {path}, '{key}' has shape {arrays[key].shape}, expected "
                f"{(len(raw), *shape)}; restore the file"
            )
    if raw.dtype.kind in "fiu":
        return arrays, ["".join(chr(int(c)) for c in row if c) for row in raw]
    return arrays, [name.decode() if isinstance(name, bytes) else str(name) for name in raw]


def _dataset(
    root: Path,
    source: Path,
    people: _People,
    skeleton: Skeleton,
    faults: list[str],
    readable: np.ndarray | None = None,
) -> Dataset:
    """Make samples of readable people; those that cannot be used go to ``faults`` instead."""
    mapping = joint_map(MPII_16, skeleton)
    joints = mapping.apply(people.joints)
    visibility = mapping.apply(people.visibility[..., None], fill=0)[..., 0].astype(np.uint8)
    boxes, usable = person_box(people.centre, people.scale), _finite(people)
    numbers: dict[str, int] = {}
    samples = []
    for i, name in enumerate(people.names):
        number = numbers[name] = numbers.get(name, -1) + 1
        if readable is not None and not readable[i]:
            continue
        try:
            path = inside(root / "images", name, source)
            if not usable[i]:
                raise DataError(
                    f"MPII: {source}, person {i}: a centre, scale or labelled joint is no finite "
                    "number (or the scale not above 0); correct the file"
                )
        except DataError as error:
            faults.append(str(error))
            continue
        samples.append(
            PoseSample(
                image_path=path,
                skeleton=skeleton,
                keypoints_px=joints[i],
                visibility=visibility[i],
                box_xyxy=boxes[i],
                frame=number,
                head_box_xyxy=None if people.heads is None else people.heads[i],
                head_length_px=None if people.lengths is None else float(people.lengths[i]),
            )
        )
    return Dataset("mpii", root, skeleton, tuple(samples))
