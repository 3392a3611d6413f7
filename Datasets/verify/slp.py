"""Compare a folder with the official layout of SLP."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.layouts.slp import COVERS, LABS, POSES, SIZES
from Datasets.readers import slp
from Datasets.verify.base import Findings, Verification, image_faults, is_generated
from Engine.errors import DataError
from Engine.reading import require_folder

MAX_APART_PX = 12.0
"""In IR pixels: how far RGB's labels may lie from IR's own once carried over the bed plane."""


def verify_slp(root: Path | str) -> Verification:
    """Count subjects, look at every image, read labels, and carry RGB's labels onto IR's.

    Raises:
        DataError: the folder does not exist or holds no subject.
    """
    root = require_folder(root, "SLP")
    subjects = slp.subjects_on_disk(root)
    found = Findings()
    generated = is_generated(root, found)
    images = sum(_verify_subject(subject, found) for subject in subjects)
    counts = []
    for lab, official in LABS.items():
        here = sum(subject.name.startswith(f"{lab}/") for subject in subjects)
        if here:
            counts.append(found.compare_count(f"{lab} subjects", here, official, generated))
    others = sum(subject.name.rsplit("/", 1)[0] in slp.VIP_CUP for subject in subjects)
    if others:
        counts.append(f"VIP Cup subjects: {others}")
    counts.append(f"images: {images}")
    counts.append(f"RGB's labels on IR's over the bed plane: at most {found.worst_px:.2f} px apart")
    return found.close("slp", root, counts)


def _verify_subject(subject: slp.Subject, found: Findings) -> int:
    """Check one subject; returns how many images there are."""
    images = 0
    for modality in SIZES:
        longest = max((len(slp.frames_of(subject, modality, c)) for c in COVERS), default=0)
        for cover in COVERS:
            frames = slp.frames_of(subject, modality, cover)
            images += len(frames)
            if frames:
                wanted = range(1, max(longest, frames[-1]) + 1)
                absent = sorted(set(wanted) - set(frames))
                found.missing += [slp.image_file(subject, modality, cover, f) for f in absent]
            for frame in frames:
                found.problems += image_faults(slp.image_file(subject, modality, cover, frame))
    if not images:
        found.problems.append(f"{subject.folder} holds no image")
    _verify_labels(subject, found)
    return images


def _verify_labels(subject: slp.Subject, found: Findings) -> None:
    labels = {}
    shown = {m for m in SIZES for cover in COVERS if slp.frames_of(subject, m, cover)}
    problems = {}
    for modality in sorted(shown | {"RGB", "IR"}):
        try:
            labels[modality] = slp.load_labels(subject, modality)
        except DataError as error:
            problems[str(error)] = None  # the same file may serve several modalities
    found.problems += problems
    for modality, pair in labels.items():
        if modality in ("RGB", "IR") and pair is not None and len(pair[0]) < POSES:
            found.notes.append(f"{subject.name}: {len(pair[0])} labelled frames in {modality}")
    if labels.get("RGB") is None or labels.get("IR") is None:
        return
    try:
        across = slp.between(subject, "RGB", "IR")
    except DataError as error:
        found.problems.append(str(error))
        return
    carried = slp.apply_homography(across, labels["RGB"][0])
    frames = min(len(carried), len(labels["IR"][0]))
    apart = float(np.abs(carried[:frames] - labels["IR"][0][:frames]).max(initial=0.0))
    found.worst_px = max(found.worst_px, apart)
    if apart > MAX_APART_PX:
        found.problems.append(f"{subject.folder}: labels of RGB and IR lie {apart:.1f} px apart")
