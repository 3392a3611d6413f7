"""Write the layouts of MPII; see ``Datasets.readers.mpii``."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.layouts.mpii import CENTRE_DROP, H5_SCALE, HEAD_BOXES, MAT, PERSON_PX
from Datasets.skeletons import MPII_16
from Datasets.skeletons.convert import joint_map
from Datasets.structures import OCCLUDED, VISIBLE, DataError, PoseSample

_HEADER = b"MATLAB 5.0 MAT-file, MPII layout".ljust(116)
_EMPTY = np.zeros((0, 0))


def write_mpii_json(root: Path, name: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/NAME.json``: HRNet's form, which keeps no occlusion and no head box.

    Raises:
        DataError: a sample without a box, or whose box is not square.
    """
    rows = []
    for sample in samples:
        centre, scale = centre_and_scale(sample)
        joints, visibility = _joints(sample)
        seen = visibility > 0
        rows.append(
            {
                "joints_vis": seen.astype(int).tolist(),
                "joints": np.where(seen[:, None], joints + 1, -1.0).tolist(),
                "image": sample.image_path.name,
                "scale": scale,
                "center": centre.tolist(),
            }
        )
    path = _annotations(root) / f"{name}.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def write_head_boxes(root: Path, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/gt_valid.mat``: joints, which are missing, and head boxes of ``valid``.

    Raises:
        DataError: a sample without a head box.
    """
    from scipy.io import savemat

    pairs = [_joints(sample) for sample in samples]
    heads = np.stack([_head(sample) for sample in samples]) + 1
    names = np.empty((1, len(MPII_16)), dtype=object)
    names[0] = MPII_16.joints
    content = {
        "dataset_joints": names,
        "jnt_missing": np.stack([v == 0 for _, v in pairs], axis=1).astype(np.float64),
        "pos_gt_src": np.stack([np.nan_to_num(j + 1) for j, _ in pairs], axis=2),
        "headboxes_src": heads.reshape(-1, 2, 2).transpose(1, 2, 0),
    }
    return _save(_annotations(root) / HEAD_BOXES, content, savemat)


def write_mpii_h5(root: Path, name: str, samples: Sequence[PoseSample]) -> Path:
    """Write ``annot/NAME.h5``: anewell's form; ``normalize`` is ``head_length_px``, NaN if unknown.

    Raises:
        DataError: a sample without a square box, or a joint at the image's first pixel's corner
            (-1, -1), which the form cannot tell from a missing one.
    """
    import h5py

    boxes = [centre_and_scale(sample) for sample in samples]
    scale = np.array([s for _, s in boxes])
    pairs = [_joints(sample) for sample in samples]
    part = np.stack([np.where(v[:, None] > 0, j + 1, 0) for j, v in pairs])
    lost = (np.stack([v for _, v in pairs]) > 0) & (part == 0).all(axis=2)
    if lost.any():
        raise DataError("MPII: a joint at (-1, -1) cannot be written to h5: 0 means missing there")
    lengths = [np.nan if s.head_length_px is None else s.head_length_px for s in samples]
    arrays = {
        "center": np.stack([c for c, _ in boxes]) + np.stack([0 * scale, CENTRE_DROP * scale], 1),
        "scale": H5_SCALE * scale,
        "part": part,
        "visible": np.stack([v == VISIBLE for _, v in pairs]).astype(np.float64),
        "normalize": np.array(lengths, dtype=np.float64),
        "index": np.arange(len(samples), dtype=np.float64),
        "person": np.array([sample.frame for sample in samples], dtype=np.float64),
    }
    path = _annotations(root) / f"{name}.h5"
    with h5py.File(path, "w", track_order=False) as file:
        file.create_dataset("imgname", data=np.array([s.image_path.name for s in samples], "S"))
        for key, values in arrays.items():
            file.create_dataset(key, data=values)
    return path


def write_mpii_mat(
    root: Path, train: Sequence[PoseSample], test: Sequence[PoseSample] = ()
) -> Path:
    """Write the official file: people grouped by image, images in order of appearance.

    Raises:
        DataError: a sample without a square box, or an image in both parts.
    """
    from scipy.io import savemat

    images: dict[str, tuple[int, list[PoseSample]]] = {}
    for flag, samples in ((1, train), (0, test)):
        for sample in samples:
            known, people = images.setdefault(sample.image_path.name, (flag, []))
            if known != flag:
                raise DataError(f"MPII: {sample.image_path.name} is in train and in test; choose")
            people.append(sample)
    people = [group for _, group in images.values()]
    acts = [{"act_name": group[0].activity, "cat_name": "", "act_id": 0.0} for group in people]
    single = np.empty((len(people), 1), dtype=object)
    single[:, 0] = [np.arange(1.0, len(group) + 1)[None] for group in people]
    release = {
        "annolist": _structs([_image(name, group) for name, (_, group) in images.items()]),
        "img_train": np.array([[flag for flag, _ in images.values()]], dtype=np.float64),
        "version": "12",
        "single_person": single,
        "act": _structs(acts),
        "video_list": np.empty((0, 1), dtype=object),
    }
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    return _save(root / MAT, {"RELEASE": _structs([release])}, savemat)


def centre_and_scale(sample: PoseSample) -> tuple[np.ndarray, float]:
    """The 1-based, uncorrected centre in pixels and the scale of a sample's square box.

    Raises:
        DataError: there is no box, or it is not square.
    """
    box = sample.box_xyxy
    if box is None or abs((box[2] - box[0]) - (box[3] - box[1])) > 1e-3 * (box[2] - box[0]):
        raise DataError(
            f"MPII: {sample.image_path.name}, person {sample.frame} needs a square box_xyxy"
        )
    scale = float((box[2] - box[0]) / PERSON_PX)
    middle = (box[:2] + box[2:]) / 2 + 1
    return middle - np.array([0.0, CENTRE_DROP * scale]), scale


def _joints(sample: PoseSample) -> tuple[np.ndarray, np.ndarray]:
    mapping = joint_map(sample.skeleton, MPII_16)
    visibility = mapping.apply(sample.visibility[:, None], fill=0)[:, 0]
    return mapping.apply(sample.keypoints_px), visibility


def _head(sample: PoseSample) -> np.ndarray:
    if sample.head_box_xyxy is None:
        raise DataError(f"MPII: {sample.image_path.name}, person {sample.frame} has no head box")
    return np.asarray(sample.head_box_xyxy, dtype=np.float64)


def _image(name: str, people: list[PoseSample]) -> dict[str, Any]:
    return {
        "image": _structs([{"name": name}]),
        "annorect": _structs([_rect(sample) for sample in people]),
        "frame_sec": _EMPTY,
        "vididx": _EMPTY,
    }


def _rect(sample: PoseSample) -> dict[str, Any]:
    centre, scale = centre_and_scale(sample)
    joints, visibility = _joints(sample)
    points = [
        {"x": x + 1, "y": y + 1, "id": float(number), "is_visible": float(seen != OCCLUDED)}
        for number, ((x, y), seen) in enumerate(zip(joints, visibility, strict=True))
        if seen > 0
    ]
    head = sample.head_box_xyxy
    corners = [_EMPTY] * 4 if head is None else [float(v) + 1 for v in head]
    return {
        **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True)),
        "annopoints": _structs([{"point": _structs(points)}]) if points else _EMPTY,
        "scale": scale,
        "objpos": _structs([{"x": centre[0], "y": centre[1]}]),
    }


def _structs(rows: list[dict[str, Any]]) -> np.ndarray:
    """A MATLAB struct array (1, n); every row has the same fields."""
    if not rows:
        return _EMPTY
    result = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for number, row in enumerate(rows):
        for key, value in row.items():
            result[key][0, number] = value
    return result


def _annotations(root: Path) -> Path:
    folder = Path(root) / "annot"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _save(path: Path, content: dict[str, Any], savemat) -> Path:
    """Write a version 5 file with a header that names no time or machine."""
    buffer = io.BytesIO()
    savemat(buffer, content, do_compression=True)
    buffer.seek(0)
    buffer.write(_HEADER)
    path.write_bytes(buffer.getbuffer())
    return path
