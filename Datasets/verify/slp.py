"""Compare a folder with the official layout of SLP."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from Datasets.layouts.slp import COVERS, LABS, MODALITIES, POSES
from Datasets.readers import slp
from Datasets.verify.base import Verification
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
    found = Verification("slp", root)
    images = sum(_verify_subject(subject, found) for subject in subjects)
    for lab, official in LABS.items():
        here = sum(subject.lab == lab for subject in subjects)
        if here:
            found.count(f"{lab} subjects", here, official)
    others = sum(subject.lab in slp.VIP_CUP for subject in subjects)
    if others:
        found.counts.append(f"VIP Cup subjects: {others}")
    found.counts += [
        f"images: {images}",
        f"RGB's labels on IR's over the bed plane: at most {found.worst_px:.2f} px apart",
    ]
    return found


def _verify_subject(subject: slp.Subject, found: Verification) -> int:
    """Check one subject; returns how many images there are."""
    images = 0
    for modality in MODALITIES:
        present = [slp.frames_of(subject, modality, cover) for cover in COVERS]
        images += sum(map(len, present))
        last = max((frames[-1] for frames in present if frames), default=0)
        for cover, frames in zip(COVERS, present, strict=True):
            wanted = range(1, last + 1) if frames else ()
            found.look_at(slp.image_file(subject, modality, cover, frame) for frame in wanted)
    if not images:
        found.problems.append(f"{subject.folder} holds no image")
    _verify_labels(subject, found)
    return images


def _verify_labels(subject: slp.Subject, found: Verification) -> None:
    labels = {}
    shown = {m for m in MODALITIES for cover in COVERS if slp.frames_of(subject, m, cover)}
    known = len(found.problems)
    for modality in sorted(shown | {"RGB", "IR"}):
        labels[modality] = found.attempt(slp.load_labels, subject, modality)
    # the same file may serve several modalities
    found.problems[known:] = dict.fromkeys(found.problems[known:])
    for modality in ("RGB", "IR"):
        pair = labels[modality]
        if pair is not None and len(pair[0]) < POSES:
            found.notes.append(f"{subject.name}: {len(pair[0])} labelled frames in {modality}")
    rgb, infrared = labels["RGB"], labels["IR"]
    if rgb is None or infrared is None:
        return
    matrix = found.attempt(slp.between, subject, "RGB", "IR")
    if matrix is None:
        return
    frames = min(len(rgb[0]), len(infrared[0]))
    carried = slp.apply_homography(matrix, rgb[0][:frames])
    apart = float(np.abs(carried - infrared[0][:frames]).max(initial=0.0))
    found.worst_px = max(found.worst_px, apart)
    if apart > MAX_APART_PX:
        found.problems.append(f"{subject.folder}: labels of RGB and IR lie {apart:.1f} px apart")
