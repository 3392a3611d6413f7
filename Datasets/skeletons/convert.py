"""Named correspondences between joint conventions, which print as tables a person can check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from Datasets.skeletons.coco import COCO_17
from Datasets.skeletons.infant import INFANT
from Datasets.skeletons.lsp import LSP_14, SLP_14
from Datasets.skeletons.mini_rgbd import MINI_RGBD_25, PUBLISHED_16
from Datasets.skeletons.mpi_inf_3dhp import MPI_INF_17, MPI_INF_28
from Datasets.skeletons.mpii import MPII_16
from Datasets.skeletons.skeleton import Skeleton


@dataclass(frozen=True)
class JointMap:
    """For each target joint the source joint that stands for it, by name; some have none."""

    source: Skeleton
    target: Skeleton
    correspondence: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for target, source in self.correspondence:
            self.target.index(target)
            self.source.index(source)

    def apply(self, values: np.ndarray, fill: float = np.nan) -> np.ndarray:
        """Rearrange per-joint values from the source order to the target order.

        Args:
            values: (..., source joint, channel) of any unit.
            fill: value of target joints without a source; NaN for coordinates, 0 for visibility.

        Returns:
            (..., target joint, channel), same dtype (floating when ``fill`` is NaN).
        """
        values = np.asarray(values)
        shape = (*values.shape[:-2], len(self.target), values.shape[-1])
        result = np.full(shape, fill, dtype=np.result_type(values, np.float32(fill)))
        targets, sources = self.index_lists
        result[..., targets, :] = values[..., sources, :]
        return result

    @cached_property
    def index_lists(self) -> tuple[list[int], list[int]]:
        """Positions (in the target, in the source) of the corresponding joints."""
        targets = self.target.indices([t for t, _ in self.correspondence])
        sources = self.source.indices([s for _, s in self.correspondence])
        return targets, sources

    def __str__(self) -> str:
        named = dict(self.correspondence)
        rows = [(t, named.get(t, "-")) for t in self.target.joints]
        width = max(len(t) for t, _ in [(self.target.name, ""), *rows])
        lines = [f"{self.target.name:<{width}}  {self.source.name}"]
        return "\n".join([*lines, *(f"{t:<{width}}  {s}" for t, s in rows)])


def _by_name(source: Skeleton, target: Skeleton, **different: str) -> JointMap:
    """Joints of the same name correspond; ``different`` names target=source exceptions."""
    pairs = [(t, different.get(t, t)) for t in target.joints]
    return JointMap(source, target, tuple((t, s) for t, s in pairs if s in source.joints))


_HAND_AND_FOOT = {
    f"{side}_{ours}": f"{side}_{theirs}"
    for side in ("left", "right")
    for ours, theirs in (("fingers", "hand"), ("toes", "toe"))
}
"""Joints that ``infant`` (left) and 3DHP (right) call otherwise."""

_WITH_INFANT: tuple[tuple[Skeleton, dict[str, str]], ...] = (
    (MINI_RGBD_25, {"thorax": "spine2", "upper_neck": "neck"}),
    (MPII_16, {}),
    (COCO_17, {}),
    (LSP_14, {"upper_neck": "neck"}),
    (SLP_14, {}),
    (MPI_INF_28, {"thorax": "spine4", "upper_neck": "neck", **_HAND_AND_FOOT}),
    (MPI_INF_17, {"upper_neck": "neck"}),
)
"""Skeletons that convert to ``infant`` and back, and what they call its joints."""

MAPS = {
    (m.source.name, m.target.name): m
    for m in (
        *(_by_name(other, INFANT, **names) for other, names in _WITH_INFANT),
        *(
            _by_name(INFANT, other, **{theirs: ours for ours, theirs in names.items()})
            for other, names in _WITH_INFANT
        ),
        _by_name(MPI_INF_28, MPI_INF_17),
        JointMap(MINI_RGBD_25, MPII_16, tuple(zip(MPII_16.joints, PUBLISHED_16, strict=True))),
        _by_name(MPI_INF_28, MPII_16, thorax="spine4", upper_neck="neck", head_top="head"),
    )
}


def joint_map(source: Skeleton, target: Skeleton) -> JointMap:
    """Return the correspondence that takes ``source`` joints to ``target`` joints.

    Raises:
        KeyError: no correspondence is written down for the two.
    """
    if source == target:
        return _by_name(source, target)
    if (source.name, target.name) not in MAPS:
        raise KeyError(f"no joint map from {source.name} to {target.name}: write it in convert.py")
    return MAPS[source.name, target.name]
