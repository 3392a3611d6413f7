"""Compare a folder with the official LSP or LSP-extended."""

from __future__ import annotations

from pathlib import Path

from Datasets.layouts.lsp import OFFICIAL_PEOPLE, image_file, joints_file
from Datasets.readers.lsp import load_labels
from Datasets.verify.base import Verification
from Engine.errors import DataError
from Engine.reading import require_folder


def verify_lsp(root: Path | str) -> Verification:
    """Count people and labelled joints, list images that are missing or cut.

    Raises:
        DataError: the folder does not exist, or holds neither ``joints.mat`` nor images.
    """
    root = require_folder(root, "LSP")
    path = joints_file(root)
    if not path.exists() and not (root / "images").is_dir():
        raise DataError(f"LSP: {root} holds no {path.name}; give the folder that directly holds it")
    found = Verification("lsp", root)
    if not path.is_file():
        found.missing.append(path)
    labels = found.attempt(load_labels, root) if path.is_file() else None
    if labels is None:
        found.look_at(sorted((root / "images").glob("im*.jpg")))
        return found
    found.problems += labels.faults(path)
    people, name = len(labels.flags), "LSP-extended" if labels.extended else "LSP"
    found.look_at(image_file(root, number, labels.extended) for number in range(1, people + 1))
    bare = int((~labels.labelled.any(axis=1)).sum())
    if bare:
        found.notes.append(f"{bare} people have no labelled joint")
    found.count(f"{name} people", people, OFFICIAL_PEOPLE[labels.extended])
    flag = "labelled" if labels.extended else "occluded"
    found.counts.append(f"joints {flag}: {100 * labels.flags.mean() if people else 0:.1f} %")
    return found
