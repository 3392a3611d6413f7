"""MINI-RGBD as Ellershaw (2022) reports it, and the measures that this project adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from Datasets.skeletons.mini_rgbd import PUBLISHED_16
from PoseEstimation.metrics.errors import (
    aligned_errors,
    hit_rates,
    joint_errors,
    mean_error,
    mean_rate,
    neighbours,
    scaled_errors,
    velocity_errors,
)
from PoseEstimation.metrics.protocols.scores import Scores, defined
from PoseEstimation.metrics.uncertainty import ause, coverage, rank_correlation, risk_coverage

FACTORS = {"pckh_1": 1.0, "pckh_2": 2.0}
"""PCKh@1.0 and PCKh@2.0: multiples of the head length."""

COLUMNS = {"clean": True, "paper": False}
"""Whether a distance of exactly 0 is a hit, by the name of the column."""

_AJPE = {"": "ajpe_mm", "_2d": "ajpe_2d_px"}


@dataclass(frozen=True)
class HeadLengths:
    """Head length (neck to head, never to the nose) per sequence name."""

    mm: Mapping[str, float]
    px: Mapping[str, float]


@dataclass(frozen=True)
class ScoredPoses:
    """Predictions beside the truth: one row per frame in video order, the protocol's joints.

    Attributes:
        sequences: (frame,) name of the sequence.
        frames: (frame,) number within the sequence.
        predicted_mm: relative to the root, camera axes, finite.
        target_mm: relative to the true root; NaN where unlabelled.
        predicted_px, target_px: image pixels, NaN where unlabelled; None when 2D was not predicted.
        sigma_mm, sigma_px: standard deviation per axis; None, or NaN, where not predicted.
    """

    sequences: np.ndarray
    frames: Int[np.ndarray, "frame"]
    predicted_mm: Float[np.ndarray, "frame joint 3"]
    target_mm: Float[np.ndarray, "frame joint 3"]
    predicted_px: Float[np.ndarray, "frame joint 2"] | None = None
    target_px: Float[np.ndarray, "frame joint 2"] | None = None
    sigma_mm: Float[np.ndarray, "frame joint"] | None = None
    sigma_px: Float[np.ndarray, "frame joint"] | None = None


@dataclass(frozen=True)
class _Distances:
    """Distances (frame, joint), head lengths (frame,) in the same unit, ending of their keys."""

    errors: np.ndarray
    published: np.ndarray
    measured: np.ndarray
    suffix: str


@dataclass(frozen=True)
class MiniRgbdProtocol:
    """MINI-RGBD as Ellershaw (2022) reports it: 16 joints, pelvis-relative, no alignment.

    Column ``clean``: the root counts as a joint and ``d <= threshold`` is a hit. Column ``paper``:
    the same, but ``d = 0`` is a miss, as in the published evaluator. PCKh is the mean of the
    joints' rates, AJPE the mean over frames and joints. ``pckh_1`` and ``pckh_2`` use the
    published head length of the sequence and count only sequences that have one; ``*_measured``
    use the sequence's own.

    Attributes:
        joints: names, in the order of the joint axis.
        root: the joint that poses are relative to.
        fps: frames per second of the videos.
    """

    joints: tuple[str, ...] = PUBLISHED_16
    root: str = "pelvis"
    fps: float = 30.0

    def score(self, poses: ScoredPoses, published: HeadLengths, measured: HeadLengths) -> Scores:
        """Compute every measure of the protocol.

        Args:
            poses: predictions beside the truth.
            published: head lengths of the table; a sequence that is not in it has none.
            measured: head lengths of every sequence.

        Raises:
            ValueError: the joint axis is not the protocol's, or a labelled joint is not predicted.
            KeyError: a sequence has no measured head length.
        """
        expected = (len(self.joints), 3)
        if poses.target_mm.shape[1:] != expected:
            raise ValueError(
                f"target_mm has shape {poses.target_mm.shape}, not (frame, *{expected})"
            )
        spaces = _distances(poses, published, measured)
        common = self._common(poses, spaces)
        columns: dict[str, dict[str, Any]] = {}
        per_joint = {}
        for column, zero_is_hit in COLUMNS.items():
            rates = _all_rates(spaces, zero_is_hit)
            columns[column] = defined({**common, **self._overall(rates)})
            columns[column]["head_length_source"] = _source(poses.sequences, published)
            per_joint[column] = self._by_joint(spaces, rates)
        return Scores(**columns, per_joint=per_joint, counts=_counts(spaces, poses))

    @property
    def _not_root(self) -> np.ndarray:
        return np.array([joint != self.root for joint in self.joints])

    def _common(self, poses: ScoredPoses, spaces: list[_Distances]) -> dict[str, float]:
        """Measures in millimetres and pixels, the same in both columns."""
        predicted, target = poses.predicted_mm, poses.target_mm
        velocity = velocity_errors(predicted, target, poses.sequences, poses.frames, self.fps)
        return {
            **{_AJPE[s.suffix]: mean_error(s.errors) for s in spaces},
            "ajpe_no_root_mm": mean_error(spaces[0].errors[:, self._not_root]),
            "pa_mpjpe_mm": mean_error(aligned_errors(predicted, target)),
            "scale_mpjpe_mm": mean_error(scaled_errors(predicted, target)),
            "velocity_mm_s": mean_error(velocity),
            "speed_ratio": self._speed_ratio(poses),
            **self._uncertainty(poses, spaces),
        }

    def _speed_ratio(self, poses: ScoredPoses) -> float:
        """Mean speed of the predicted joints over that of the true ones: below 1 when smoothed."""
        speeds = [
            velocity_errors(pose, 0 * pose, poses.sequences, poses.frames, self.fps)
            for pose in (poses.predicted_mm, poses.target_mm)
        ]
        known = np.isfinite(speeds[0]) & np.isfinite(speeds[1])
        total = float(speeds[1][known].sum())
        return float(speeds[0][known].sum()) / total if total else np.nan

    def _uncertainty(self, poses: ScoredPoses, spaces: list[_Distances]) -> dict[str, float]:
        """Coverage and ranking of the error bars, without the root."""
        values, rows = {}, self._not_root
        if poses.sigma_mm is not None:
            errors, sigma = spaces[0].errors[:, rows], poses.sigma_mm[:, rows]
            curve = risk_coverage(errors, sigma)
            values = {
                "coverage_90_3d": coverage(errors, sigma, 3),
                "spearman": rank_correlation(errors, sigma),
                "ause": ause(errors, sigma),
                "ajpe_no_root_certain_80_mm": float(curve[79]),
            }
        if poses.sigma_px is not None and len(spaces) == 2:
            values["coverage_90_2d"] = coverage(spaces[1].errors, poses.sigma_px, 2)
        return values

    def _overall(self, rates: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Mean rates over the joints; 3D at the published lengths also without the root."""
        overall = {key: mean_rate(rate) for key, rate in rates.items()}
        without = {f"{key}_no_root": mean_rate(rates[key][self._not_root]) for key in FACTORS}
        return {**overall, **without}

    def _by_joint(
        self, spaces: list[_Distances], rates: Mapping[str, np.ndarray]
    ) -> dict[str, dict[str, float]]:
        values = {_AJPE[s.suffix]: mean_error(s.errors, axis=0) for s in spaces} | dict(rates)
        return {
            joint: defined({key: float(value[i]) for key, value in values.items()})
            for i, joint in enumerate(self.joints)
        }


def _distances(
    poses: ScoredPoses, published: HeadLengths, measured: HeadLengths
) -> list[_Distances]:
    """3D in millimetres and, where predicted, 2D in pixels."""
    names = [str(name) for name in poses.sequences]
    millimetres = _Distances(
        joint_errors(poses.predicted_mm, poses.target_mm),
        np.array([published.mm.get(name, np.nan) for name in names], dtype=np.float64),
        np.array([measured.mm[name] for name in names], dtype=np.float64),
        suffix="",
    )
    if poses.predicted_px is None or poses.target_px is None:
        return [millimetres]
    pixels = _Distances(
        joint_errors(poses.predicted_px, poses.target_px),
        np.array([published.px.get(name, np.nan) for name in names], dtype=np.float64),
        np.array([measured.px[name] for name in names], dtype=np.float64),
        suffix="_2d",
    )
    return [millimetres, pixels]


def _all_rates(spaces: list[_Distances], zero_is_hit: bool) -> dict[str, np.ndarray]:
    """(joint,) rates by key: 3D and 2D, published and measured head lengths, both factors."""
    return {
        f"{key}{space.suffix}{ending}": hit_rates(space.errors, lengths, factor, zero_is_hit)
        for space in spaces
        for ending, lengths in (("", space.published), ("_measured", space.measured))
        for key, factor in FACTORS.items()
    }


def _counts(spaces: list[_Distances], poses: ScoredPoses) -> dict[str, int]:
    counts = {
        "frames": len(poses.frames),
        "joints_3d": int(np.isfinite(spaces[0].errors).sum()),
        "frames_with_published_head_length": int(np.isfinite(spaces[0].published).sum()),
        "velocity_steps": int(neighbours(poses.sequences, poses.frames).sum()),
    }
    if len(spaces) == 2:
        counts["joints_2d"] = int(np.isfinite(spaces[1].errors).sum())
    return counts


def _source(sequences: np.ndarray, published: HeadLengths) -> str:
    """Where the head lengths of ``pckh_1`` come from: ``measured`` says that the pair is absent."""
    known = {str(name) in published.mm for name in sequences}
    if len(known) == 2:
        return "published for part of the sequences"
    return "published" if known == {True} else "measured"
