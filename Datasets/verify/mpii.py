"""Compare a folder with the official layouts of MPII."""

from __future__ import annotations

from pathlib import Path

from Datasets.layouts.mpii import (
    GT_VALID,
    OFFICIAL_IMAGES,
    OFFICIAL_PEOPLE,
    PARTS,
    annotation_file,
    find_mat,
)
from Datasets.readers.mpii import parts_on_disk
from Datasets.readers.mpii_h5 import load_h5_people
from Datasets.readers.mpii_json import add_heads, load_json_people
from Datasets.readers.mpii_mat import load_release, people_of
from Datasets.readers.mpii_people import People
from Datasets.verify.base import Findings, Verification, image_faults, is_generated
from Engine.errors import DataError
from Engine.reading import require_folder

_LOADERS = {"json": load_json_people, "h5": load_h5_people}


def verify_mpii(root: Path | str) -> Verification:
    """Read every annotation file in all forms, and look at every image that they name.

    Raises:
        DataError: the folder does not exist or holds no annotation file.
    """
    root = require_folder(root, "MPII")
    parts_on_disk(root)
    found = Findings()
    generated = is_generated(root, found)
    images: dict[Path, None] = {}
    counts = _verify_parts(root, generated, found, images)
    counts += _verify_mat(root, generated, found, images)
    for path in images:
        if path.is_file():
            found.problems += image_faults(path)
        else:
            found.missing.append(path)
    return found.close("mpii", root, [*counts, f"images named: {len(images)}"])


def _verify_parts(
    root: Path, generated: bool, found: Findings, images: dict[Path, None]
) -> list[str]:
    """Check the JSON and h5 files; returns their lines of counts."""
    counts = []
    names: dict[str, set[str]] = {}
    for form, load in _LOADERS.items():
        for part in PARTS:
            path = annotation_file(root, part, form)
            if not path.is_file():
                continue
            try:
                people, faults = load(path)
            except DataError as error:
                found.problems.append(str(error))
                continue
            found.problems += faults
            if (form, part) == ("json", "valid"):
                _verify_heads(people, root / "annot" / GT_VALID, found)
            _take(people, root, found, images)
            names.setdefault(part, set()).update(people.names)
            counts.append(_count(f"{path.name} people", len(people.names), part, generated, found))
    shared = len(names.get("train", set()) & names.get("valid", set()))
    if shared:
        found.notes.append(f"{shared} images have people in train and in valid")
    return counts


def _verify_heads(people: People, path: Path, found: Findings) -> None:
    if path.is_file():
        found.problems += add_heads(people, path)
    else:
        found.notes.append(
            f"no {path.name} beside valid.json: no head boxes for PCKh from the JSON"
        )


def _verify_mat(
    root: Path, generated: bool, found: Findings, images: dict[Path, None]
) -> list[str]:
    """Check the official file where it is there; returns its lines of counts."""
    path = find_mat(root)
    if path is None:
        return []
    try:
        release = load_release(path)
    except DataError as error:
        found.problems.append(str(error))
        return []
    totals = (len(release.images), sum(release.training))
    counts = [
        found.compare_count(what, total, official, generated)
        for (what, official), total in zip(OFFICIAL_IMAGES.items(), totals, strict=True)
    ]
    for split in ("train", "test"):
        people, faults, left_out = people_of(release, split)
        found.problems += faults
        _take(people, root, found, images)
        line = f"{path.name} {split} people: {len(people.names)}"
        counts.append(f"{line}, rectangles without enough labels: {left_out}")
    return counts


def _count(what: str, total: int, part: str, generated: bool, found: Findings) -> str:
    official = OFFICIAL_PEOPLE.get(part)
    if official is None:
        return f"{what}: {total}"
    return found.compare_count(what, total, official, generated)


def _take(people: People, root: Path, found: Findings, images: dict[Path, None]) -> None:
    """Note the faults of the people and collect their images."""
    paths, strangers = people.image_paths(root)
    found.problems += [*people.faults(), *strangers]
    images.update(dict.fromkeys(paths.values()))
