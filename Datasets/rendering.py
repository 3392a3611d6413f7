"""Look at a data set: a sheet of its samples with their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.catalogue import open_dataset
from Datasets.drawing.panels import sample_panel
from Datasets.drawing.plot3d import plot_poses
from Datasets.drawing.sheets import contact_sheet
from Datasets.geometry.boxes import box_from_mask
from Datasets.readers.frames import load_sample_image
from Datasets.readers.images import load_mask
from Datasets.sources import CACHE
from Datasets.structures import Dataset, PoseSample
from Engine.errors import DataError
from Engine.files import write_image

COLUMNS = 3
PANEL = (480, 288)


def render_dataset(
    name: str,
    root: Path | str,
    split: str | None,
    output: Path | str,
    samples: int = 12,
    cache: Path = CACHE,
) -> list[Path]:
    """Draw samples of a data set: a sheet of panels and, where there is 3D, one pose in space.

    Args:
        name: data set.
        root: its folder.
        split: a part that the data set knows, or None for all.
        output: folder for ``NAME_samples.jpg`` and ``NAME_3d.png``.
        samples: number of panels on the sheet, spread evenly over the labelled samples.
        cache: see ``open_dataset``.

    Returns:
        The files written.

    Raises:
        DataError: an unknown data set, data that cannot be read, or none with labels.
    """
    dataset = open_dataset(name, root, split, cache=cache)
    picked = _spread(dataset, samples)
    output = Path(output)
    sheet = contact_sheet(
        [sample_panel(s, load_sample_image(s), _box(s), PANEL) for s in picked],
        [_caption(sample) for sample in picked],
        columns=COLUMNS,
        cell=PANEL,
        title=f"{name}: {len(dataset):,} people; blue is the left, orange the right; "
        "hollow joints are hidden",
    )
    files = [output / f"{name}_samples.jpg"]
    write_image(files[0], sheet, quality=88)
    sample = picked[len(picked) // 2]
    if sample.joints_mm is not None:
        files.append(output / f"{name}_3d.png")
        title = f"{name}: {_caption(sample)}"
        picture = plot_poses({"": sample.joints_mm}, sample.skeleton, title, width=700)
        write_image(files[1], picture)
    return files


def _spread(dataset: Dataset, count: int) -> list[PoseSample]:
    """Evenly spread samples, each the next labelled one from its place."""
    picked: dict[int, PoseSample] = {}
    for start in np.linspace(0, max(len(dataset) - 1, 0), count).round().astype(int):
        for index in range(start, len(dataset)):
            sample = dataset.samples[index]
            if sample.visibility.any():
                picked[index] = sample
                break
    if not picked:
        raise DataError(f"{dataset.name}: {dataset.root} holds no labelled person to draw")
    return list(picked.values())


def _box(sample: PoseSample) -> np.ndarray | None:
    if sample.box_xyxy is None and sample.mask_path is not None:
        return box_from_mask(np.asarray(load_mask(sample.mask_path)) > 127)
    return sample.box_xyxy


def _caption(sample: PoseSample) -> str:
    """Name what the sample is by what its data set says of it."""
    in_sequence = sample.sequence and sample.image_id is None
    parts = (sample.sequence, f"frame {sample.frame}") if in_sequence else (sample.image_path.name,)
    parts = (*parts, sample.activity)
    return ", ".join(part for part in parts if part)
