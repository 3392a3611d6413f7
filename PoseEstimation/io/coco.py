"""COCO keypoint results (``coco_keypoints.json``), as pycocotools and faster-coco-eval read them.

A list of ``{"image_id", "category_id": 1, "keypoints": [x, y, score] * 17, "score", "bbox": [x, y,
w, h]}``, pixels. A joint without coordinates is ``0, 0, 0`` there: the format knows no other way.
"""

from __future__ import annotations

import json
import os
import posixpath
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from Datasets.readers.inputs import is_video
from Datasets.skeletons import COCO_17, Skeleton
from Datasets.skeletons.convert import joint_map
from Engine.errors import DataError
from Engine.files import replacing_text
from Engine.reading import load_json
from PoseEstimation.io.header import Header, Write
from PoseEstimation.result import FrameResult, InfantPose


@contextmanager
def coco_keypoints(path: Path, header: Header) -> Iterator[Write]:
    """Open ``coco_keypoints.json``, see ``io.header.Writer``; unreadable frames have no entry.

    Without ``header.image_ids`` frames count from 1, sorted by source and index.
    """
    number_of = _image_numbers(header)
    with replacing_text(path) as file:
        start = "["

        def write(frame: FrameResult) -> None:
            nonlocal start
            for infant in frame.infants:
                entry = _entry(infant, number_of(frame), header.skeleton)
                file.write(start + json.dumps(entry, allow_nan=False))
                start = ", "

        yield write
        file.write("[]\n" if start == "[" else "]\n")


def _image_numbers(header: Header) -> Callable[[FrameResult], int]:
    """How a frame gets its image id."""
    ids = header.image_ids
    if ids is not None:
        return lambda frame: ids[frame.source]
    first, before = {}, 1
    for source in sorted(header.frame_counts):
        first[source], before = before, before + header.frame_counts[source]
    return lambda frame: first[frame.source] + frame.index


def image_ids_of(sources: Sequence[Path], annotations: Path) -> dict[str, int]:
    """Find each photo's image id in a COCO annotation file, before any work is done.

    A photo is the image whose ``file_name`` has most of its last folders and its name, compared
    from the end. Upper and lower case differ: photos may differ in nothing else.

    Args:
        sources: the photos.
        annotations: the file.

    Returns:
        The id by ``source.as_posix()``.

    Raises:
        DataError: not such a file; one of the sources is a video, is not listed, or two images fit
            it; or two sources get one id.
    """
    listed = _listed(annotations)
    ids: dict[str, int] = {}
    owners: dict[int, Path] = {}
    for source in dict.fromkeys(sources):
        if is_video(source):
            raise DataError(
                f"COCO annotations: {source} is a video, whose frames have no id; leave it out"
            )
        number = _id_of(source, listed, annotations)
        other = owners.setdefault(number, source)
        if other != source:
            raise DataError(
                f"COCO annotations: {annotations}: {other} and {source} both fit image {number}; "
                "name their folders in file_name or leave one of them out"
            )
        ids[source.as_posix()] = number
    return ids


def _listed(path: Path) -> dict[str, list[tuple[list[str], int]]]:
    """Images of an annotation file by name without folder: folders and name, id.

    Raises:
        DataError: not such a file, or a name or an id repeats.
    """
    content = load_json(path, "COCO annotations")
    try:
        images = [(_parts(image["file_name"]), image["id"]) for image in content["images"]]
        wrong = any(type(number) is not int for _, number in images)
    except (AttributeError, KeyError, TypeError):
        wrong = True
    if wrong:
        message = f"COCO annotations: {path} has no images with id and file_name; give a COCO file"
        raise DataError(message)
    for what, values in (
        ("file_name", ["/".join(parts) for parts, _ in images]),
        ("id", [number for _, number in images]),
    ):
        value, times = max(Counter(values).items(), key=lambda item: item[1], default=("", 0))
        if times > 1:
            raise DataError(
                f"COCO annotations: {path} lists {times} images of {what} {value!r}; correct it"
            )
    by_name = defaultdict(list)
    for parts, number in images:
        by_name[parts[-1]].append((parts, number))
    return by_name


def _parts(name: str) -> list[str]:
    """Folders and name, whichever way slashes lean and umlauts are composed."""
    return posixpath.normpath(unicodedata.normalize("NFC", name).replace("\\", "/")).split("/")


def _id_of(source: Path, listed: dict[str, list[tuple[list[str], int]]], path: Path) -> int:
    """Id of the image whose path has most of a photo's, from the end.

    Raises:
        DataError: none has its name, or two have as much of it.
    """
    own = _parts(os.path.abspath(source))
    fitting: dict[tuple[int, bool], list[tuple[list[str], int]]] = defaultdict(list)
    for parts, number in listed.get(own[-1], ()):
        pairs = zip(reversed(own), reversed(parts), strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        fitting[shared, shared == len(parts)].append((parts, number))
    if not fitting:
        raise DataError(
            f"COCO annotations: {path} does not list {source.name}; leave one of them out"
        )
    best = fitting[max(fitting)]
    if len(best) > 1:
        names = " and ".join("/".join(parts) for parts, _ in best[:2])
        raise DataError(
            f"COCO annotations: {path}: {source} may be {names}; put it into a folder of that name"
        )
    return best[0][1]


def _entry(infant: InfantPose, image_id: int, skeleton: Skeleton) -> dict[str, Any]:
    """One detection; its score is the box score times the mean joint score."""
    values = np.column_stack([infant.keypoints_px, infant.keypoint_scores])
    values = joint_map(skeleton, COCO_17).apply(values)
    scores = np.nan_to_num(values[:, 2])
    values[~np.isfinite(values).all(axis=1)] = 0.0
    x1, y1, x2, y2 = (round(float(v), 3) for v in infant.box_xyxy)
    return {
        "image_id": image_id,
        "category_id": 1,
        "keypoints": [round(float(v), 3) for v in values.ravel()],
        "score": round(float(infant.box_score * scores.mean()), 6),
        "bbox": [x1, y1, round(x2 - x1, 3), round(y2 - y1, 3)],
    }
