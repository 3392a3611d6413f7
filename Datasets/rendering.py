"""Look at a data set: sheets of its samples with their labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.catalogue import open_dataset
from Datasets.drawing.overlay import PoseDrawing, draw_poses
from Datasets.drawing.plot3d import plot_poses
from Datasets.drawing.sheets import contact_sheet
from Datasets.geometry.boxes import box_from_mask
from Datasets.readers.base import load_image, load_mask
from Datasets.structures import Dataset, PoseSample


def render_dataset(
    name: str,
    root: Path | str,
    split: str | None,
    output: Path | str,
    samples: int = 12,
) -> list[Path]:
    """Draw samples of a data set: a sheet of overlays and one pose in space.

    Args:
        name: data set.
        root: its folder.
        split: ``train``, ``validation``, ``test``, a list such as ``1-3,11``, or None for all.
        output: folder for ``NAME_samples.png`` and ``NAME_3d.png``.
        samples: number of pictures on the sheet, spread evenly.

    Returns:
        The files written.

    Raises:
        DataError: an unknown data set, or data that cannot be read.
    """
    dataset = open_dataset(name, root, split)
    chosen = np.unique(np.linspace(0, len(dataset) - 1, samples).round().astype(int))
    picked = [dataset.samples[i] for i in chosen]
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(
        [draw_sample(sample) for sample in picked],
        [f"sequence {sample.sequence}, frame {sample.frame}" for sample in picked],
        cell=(400, 300),
        title=f"{name}: {len(dataset)} labelled frames",
    )
    files = [output / f"{name}_samples.png", output / f"{name}_3d.png"]
    sheet.save(files[0])
    _plot_sample(dataset, picked[len(picked) // 2]).save(files[1])
    return files


def draw_sample(sample: PoseSample) -> Image.Image:
    """Draw a sample's labels over its image: joints, and the box of its mask."""
    box = sample.box_xyxy
    if box is None and sample.mask_path is not None:
        box = box_from_mask(np.asarray(load_mask(sample.mask_path)) > 127)
    scores = np.where(sample.visibility == 2, 1.0, 0.0)
    pose = PoseDrawing(sample.keypoints_px, scores, box)
    return draw_poses(load_image(sample.image_path), [pose], sample.skeleton, legend=True)


def _plot_sample(dataset: Dataset, sample: PoseSample) -> Image.Image:
    title = f"{dataset.name}: sequence {sample.sequence}, frame {sample.frame}"
    return plot_poses({"": sample.joints_mm}, dataset.skeleton, title, width=700)
