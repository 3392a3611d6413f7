"""Look at a data set before using it: is the folder complete, and what do its samples look like?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from Datasets.drawing.overlay import PoseDrawing, draw_poses
from Datasets.drawing.plot3d import plot_poses
from Datasets.drawing.sheets import contact_sheet
from Datasets.geometry.boxes import box_from_mask
from Datasets.geometry.camera import project
from Datasets.readers import mini_rgbd
from Datasets.readers.base import load_image, load_mask, require_folder
from Datasets.splits import MINI_RGBD_SPLIT, parse_sequences
from Datasets.structures import DataError, Dataset, PoseSample

DATASETS = ("mini_rgbd",)
"""Names that ``render_dataset`` and ``verify_dataset`` take."""

OFFICIAL_SEQUENCES = tuple(mini_rgbd.HEAD_LENGTH_PX)
OFFICIAL_FRAMES = 1000
SHOWN = 10
MAX_RESIDUAL_PX = 0.5
HEAD_LENGTH_TOLERANCE = 0.05


@dataclass(frozen=True)
class Verification:
    """What was found in a folder.

    Attributes:
        name: data set.
        root: folder.
        counts: lines that say how much there is, beside the official number.
        missing: files that are not there.
        problems: other faults, one line each.
        notes: remarks that are no fault.
    """

    name: str
    root: Path
    counts: tuple[str, ...]
    missing: tuple[Path, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is missing or wrong."""
        return not self.missing and not self.problems

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.root}", *(f"  {line}" for line in self.counts)]
        for title, faults in (("missing files", self.missing), ("problems", self.problems)):
            lines.append(f"  {title}: {len(faults)}")
            lines += [f"    {fault}" for fault in faults[:SHOWN]]
            if len(faults) > SHOWN:
                lines.append(f"    ... and {len(faults) - SHOWN} more")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join([*lines, f"  {'OK' if self.ok else 'NOT OK'}"])


@dataclass
class _Findings:
    """Collects while sequences are looked through."""

    frames: int = 0
    missing: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    worst_px: float = 0.0


def verify_dataset(name: str, root: Path | str) -> Verification:
    """Compare a folder with the official layout and report every fault in one pass.

    Raises:
        DataError: an unknown data set, or the folder does not exist or holds no sequence.
    """
    _require_known(name)
    root = require_folder(root, "MINI-RGBD")
    sequences = mini_rgbd.sequence_names(root)
    intrinsics = mini_rgbd.read_intrinsics(root)
    generated = (root / "generator.json").exists()
    found = _Findings()
    for sequence in sequences:
        _verify_sequence(root / sequence, intrinsics, found)
    absent = [sequence for sequence in OFFICIAL_SEQUENCES if sequence not in sequences]
    official = len(OFFICIAL_SEQUENCES) * OFFICIAL_FRAMES
    if generated:
        found.notes.append(
            "generated data (generator.json): counts may differ from the official set"
        )
    elif absent:
        found.problems.insert(0, f"sequence folders missing: {', '.join(absent)}")
    elif found.frames != official:
        found.problems.insert(0, f"{found.frames} frames, the official set has {official}")
    counts = (
        f"sequences: {len(sequences)} (official {len(OFFICIAL_SEQUENCES)})",
        f"frames: {found.frames} (official {official})",
        f"projection of joints_3D onto joints_2Ddep: at most {found.worst_px:.3f} px apart",
    )
    found_all = (tuple(found.missing), tuple(found.problems), tuple(found.notes))
    return Verification(name, root, counts, *found_all)


def _verify_sequence(folder: Path, intrinsics: np.ndarray, found: _Findings) -> None:
    """Add the faults of one sequence to ``found``."""
    present = mini_rgbd.frames_on_disk(folder)
    frames = sorted(set().union(*present.values()))
    found.frames += len(frames)
    if not frames:
        found.problems.append(f"{folder} holds no frame")
        return
    labels = []
    for frame in frames:
        absent = [kind for kind in mini_rgbd.FILES if frame not in present[kind]]
        found.missing += [mini_rgbd.frame_path(folder, kind, frame) for kind in absent]
        for kind in ("rgb", "depth", "fg_mask"):
            if kind not in absent:
                found.problems += _png_faults(mini_rgbd.frame_path(folder, kind, frame))
        if not {"joints_2Ddep", "joints_3D"} & set(absent):
            labels += _verify_labels(folder, frame, intrinsics, found)
    gaps = sorted(set(range(frames[-1] + 1)) - set(frames))
    if gaps:
        found.problems.append(f"{folder}: {len(gaps)} frame numbers skipped, first {gaps[0]:05d}")
    if labels:
        _verify_head_length(folder, labels, found)


def _verify_labels(
    folder: Path, frame: int, intrinsics: np.ndarray, found: _Findings
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read one frame's labels and compare them under the camera; empty when unreadable."""
    try:
        keypoints_px, joints_mm = mini_rgbd.load_labels(folder, frame)
    except DataError as error:
        found.problems.append(str(error))
        return []
    difference = np.abs(project(joints_mm, intrinsics) - keypoints_px)
    residual = float(difference.max()) if np.isfinite(difference).all() else np.inf
    found.worst_px = max(found.worst_px, residual)
    if residual > MAX_RESIDUAL_PX:
        path = mini_rgbd.frame_path(folder, "joints_2Ddep", frame)
        found.problems.append(f"{path}: {residual:.2f} px from the projection of joints_3D")
    return [(keypoints_px, joints_mm)]


def _verify_head_length(folder: Path, labels: list, found: _Findings) -> None:
    """Remark when the measured head length is not the published one: then it is another set."""
    published = mini_rgbd.HEAD_LENGTH_MM.get(folder.name)
    arrays = (np.stack([pair[i] for pair in labels]) for i in (0, 1))
    _, measured = mini_rgbd.head_lengths(*arrays)
    if published and abs(measured / published - 1) > HEAD_LENGTH_TOLERANCE:
        found.notes.append(
            f"{folder.name}: head length {measured:.1f} mm, published {published} mm: "
            "not the official infant"
        )


def _png_faults(path: Path) -> list[str]:
    """Check a PNG's start and end without decoding it: a cut file lacks its end chunk."""
    with path.open("rb") as file:
        start = file.read(8)
        file.seek(max(path.stat().st_size - 12, 0))
        end = file.read()
    if start != b"\x89PNG\r\n\x1a\n":
        return [f"{path} is not a PNG file"]
    return [] if end[4:8] == b"IEND" else [f"{path} is truncated"]


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
    _require_known(name)
    dataset = mini_rgbd.read_mini_rgbd(root, _sequences(split))
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


def _sequences(split: str | None) -> Sequence[str] | None:
    if split is None or split == "all":
        return None
    return parse_sequences(split) if split[:1].isdigit() else MINI_RGBD_SPLIT.part(split)


def _require_known(name: str) -> None:
    if name not in DATASETS:
        raise DataError(f"data set: '{name}' is unknown; choose one of {', '.join(DATASETS)}")
