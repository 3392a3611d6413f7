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
from Datasets.readers.mpii import LOADERS, parts_on_disk
from Datasets.readers.mpii_mat import load_release, people_of
from Datasets.readers.mpii_people import People
from Datasets.verify.base import Verification
from Engine.reading import require_folder


def verify_mpii(root: Path | str) -> Verification:
    """Read every annotation file in all forms, and look at every image that they name.

    Raises:
        DataError: the folder does not exist or holds no annotation file.
    """
    root = require_folder(root, "MPII")
    parts_on_disk(root)
    found = Verification("mpii", root)
    images = _verify_parts(found) | _verify_official(found)
    found.look_at(images)
    found.counts.append(f"images named: {len(images)}")
    return found


def _verify_parts(found: Verification) -> dict[Path, None]:
    """Check the JSON and h5 files; returns the images that they name."""
    images: dict[Path, None] = {}
    names: dict[str, set[str]] = {}
    for form, load in LOADERS.items():
        for part in PARTS:
            path = annotation_file(found.root, part, form)
            people = found.attempt(load, path) if path.is_file() else None
            if people is None:
                continue
            images |= _verify_people(people, found)
            names.setdefault(part, set()).update(people.names)
            what, total = f"{path.name} people", len(people.names)
            if part in OFFICIAL_PEOPLE:
                found.count(what, total, OFFICIAL_PEOPLE[part])
            else:
                found.counts.append(f"{what}: {total}")
            if path.name == "valid.json" and not path.with_name(GT_VALID).is_file():
                found.notes.append(
                    f"no {GT_VALID} beside valid.json: no head boxes for PCKh from the JSON"
                )
    shared = len(names.get("train", set()) & names.get("valid", set()))
    if shared:
        found.notes.append(f"{shared} images have people in train and in valid")
    return images


def _verify_official(found: Verification) -> dict[Path, None]:
    """Check the official file where it is there; returns the images that it names."""
    path = find_mat(found.root)
    release = None if path is None else found.attempt(load_release, path)
    images: dict[Path, None] = {}
    if path is None or release is None:
        return images
    totals = (len(release.images), sum(release.training))
    for (what, official), total in zip(OFFICIAL_IMAGES.items(), totals, strict=True):
        found.count(what, total, official)
    for split in ("train", "test"):
        people, left_out = people_of(release, split)
        images |= _verify_people(people, found)
        line = f"{path.name} {split} people: {len(people.names)}"
        found.counts.append(f"{line}, rectangles without enough labels: {left_out}")
    return images


def _verify_people(people: People, found: Verification) -> dict[Path, None]:
    """Note the faults of the people; returns their images."""
    found.problems += people.faults(found.root)
    return dict.fromkeys(people.image_paths(found.root)[0].values())
