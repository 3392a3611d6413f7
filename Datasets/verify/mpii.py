"""Compare a folder with the official layouts of MPII."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from Datasets.layouts.mpii import OFFICIAL_IMAGES, OFFICIAL_PEOPLE
from Datasets.readers import mpii, mpii_mat
from Datasets.readers.base import require_folder
from Datasets.skeletons import MPII_16, Skeleton
from Datasets.structures import DataError, Dataset
from Datasets.verify.base import Findings, Verification, image_faults, is_generated


def verify_mpii(root: Path | str) -> Verification:
    """Read every annotation file by itself and look at every image that one of them names.

    Raises:
        DataError: the folder does not exist or holds no annotations.
    """
    root = require_folder(root, "MPII")
    files = [*sorted((root / "annot").glob("*.json")), *sorted((root / "annot").glob("*.h5"))]
    official = mpii_mat.find_mat(root)
    if not files and official is None:
        raise DataError(
            f"MPII: {root} holds neither annot/*.json, annot/*.h5 nor the official .mat; "
            "give the folder that holds annot and images"
        )
    found = Findings()
    generated = is_generated(root, found)
    counts, images = [], set()
    for path in files:
        read = mpii.collect_json if path.suffix == ".json" else mpii.collect_h5
        data = _read(read, root, path.stem, found)
        if data is None:
            continue
        images |= _images(data)
        expected = OFFICIAL_PEOPLE.get(path.stem)
        line = f"{path.name} people: {len(data)}"
        if expected:
            line = found.compare_count(f"{path.name} people", len(data), expected, generated)
        counts.append(line)
    if official is not None:
        for name in ("train", "test"):
            data = _read(mpii_mat.collect_mat, root, name, found)
            if data is not None:
                images |= _images(data)
                counts.append(f"{official.name} {name} people: {len(data)}")
    _verify_images(sorted(images), found)
    counts.append(f"images named: {len(images)} (official {OFFICIAL_IMAGES})")
    return found.close("mpii", root, counts)


def _read(
    collect: Callable[[Path, str, Skeleton, list[str]], Dataset],
    root: Path,
    name: str,
    found: Findings,
) -> Dataset | None:
    try:
        return collect(root, name, MPII_16, found.problems)
    except DataError as error:
        found.problems.append(str(error))
        return None


def _images(data: Dataset) -> set[Path]:
    return {sample.image_path for sample in data.samples}


def _verify_images(paths: Iterable[Path], found: Findings) -> None:
    for path in paths:
        if path.is_file():
            found.problems += image_faults(path)
        else:
            found.missing.append(path)
