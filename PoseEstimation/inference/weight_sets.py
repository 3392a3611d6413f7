"""Weight sets on disk: a manifest of roles, each a file, checked by sha256; free of torch.

``SavedModels/NAME/manifest.yaml`` names the file of each role: ``roles: {detector:
detector.safetensors, keypoints: heatmap.safetensors, lifter: lifter.safetensors}``. A set without
one has these. ``SavedModels/index.yaml`` says, by set, what each file's sha256 must be, and terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Engine.errors import DataError
from Engine.provenance import file_sha256
from Engine.reading import load_yaml, require_folder

ROLES = {
    "detector": "detector.safetensors",
    "keypoints": "heatmap.safetensors",
    "lifter": "lifter.safetensors",
}
"""Files of a set without a manifest."""

INDEX, MANIFEST = "index.yaml", "manifest.yaml"


@dataclass(frozen=True)
class WeightSet:
    """The networks of a set by what they do.

    Attributes:
        folder: its name is the set's.
        files: name of the file of each role, as it lies in the folder.
    """

    folder: Path
    files: dict[str, str]

    @classmethod
    def open(cls, folder: Path) -> WeightSet:
        """Read the manifest of a set; without one, its files have the usual names.

        Raises:
            DataError: no such folder, or the manifest names no roles.
        """
        path = require_folder(folder, "weights") / MANIFEST
        if not path.is_file():
            return cls(folder, dict(ROLES))
        content = load_yaml(path, "weights")
        roles = content.get("roles") if isinstance(content, dict) else None
        if not isinstance(roles, dict) or not all(isinstance(v, str) for v in roles.values()):
            raise DataError(f"weights: {path} names no roles; write roles: {{detector: FILE}}")
        return cls(folder, roles)

    def path(self, role: str) -> Path:
        """The file of a role, checked against the index beside the set.

        Raises:
            DataError: the set has none, or the file is missing or not the one in the index.
        """
        path = self.file(role)
        self.sha256(role)
        return path

    def file(self, role: str) -> Path:
        """The file of a role, unchecked.

        Raises:
            DataError: the set has none.
        """
        if role not in self.files:
            has = ", ".join(self.files)
            raise DataError(
                f"weights: {self.folder} has no {role}, only {has}; choose another set with "
                "--weights, or train one"
            )
        return self.folder / self.files[role]

    def sha256(self, role: str) -> str:
        """The sha256 of a role's file; raises as ``path``."""
        path = self.folder / self.files[role]
        if not path.is_file():
            raise DataError(f"weights: {path} does not exist; restore it or train it")
        digest = file_sha256(path)
        expected = (index_entry(self.folder).get("sha256") or {}).get(path.name, digest)
        if digest != expected:
            raise DataError(
                f"weights: {path} has sha256 {digest[:12]}..., {INDEX} says "
                f"{str(expected)[:12]}...; restore the file"
            )
        return digest

    def digests(self) -> dict[str, str]:
        """The sha256 of every file, by name; raises as ``path``."""
        return {name: self.sha256(role) for role, name in self.files.items()}


def find_weights(saved_models: Path, name: str) -> Path:
    """Return the folder of a weight set, by name under ``saved_models`` or by path.

    Raises:
        DataError: there is none.
    """
    folder = saved_models / name
    if folder.is_dir():
        return folder
    if Path(name).is_dir():
        return Path(name)
    sets = sorted(p.name for p in saved_models.glob("*") if p.is_dir()) or ["none"]
    raise DataError(f"weights: {folder} does not exist; sets there: {', '.join(sets)}")


def notice_of_terms(folder: Path, saved_models: Path) -> str | None:
    """What to say about weights that may not be used for everything: names end in ``-research``.

    Args:
        folder: of the chosen set.
        saved_models: where others may lie that know more and are not chosen on their own.

    Returns:
        One line, or None where there are no such weights.
    """
    if folder.name.endswith("-research"):
        return _terms(folder)
    others = [path for path in sorted(saved_models.glob("*-research")) if is_indexed(path)]
    if not others:
        return None
    return f"with other terms there is {_terms(others[0])}; --weights {others[0].name} takes it"


def _terms(folder: Path) -> str:
    licence = index_entry(folder).get("licence", "research only, non-commercial")
    return f"{folder.name}: {licence}; see MODEL_CARD.md"


def is_indexed(folder: Path) -> bool:
    """Whether ``index.yaml`` says what every file of the set must be."""
    files = WeightSet.open(folder).files.values()
    return set(files) <= set(index_entry(folder).get("sha256") or {})


def index_entry(folder: Path) -> dict[str, Any]:
    """What ``index.yaml`` says about a set; empty when it does not list it.

    Raises:
        DataError: the file is no index of weight sets.
    """
    path = folder.resolve().parent / INDEX
    if not path.is_file():
        return {}
    try:
        return dict((load_yaml(path, "weights") or {}).get(folder.name) or {})
    except (AttributeError, TypeError, ValueError):
        raise DataError(f"weights: {path} is no index of weight sets; restore it") from None
