"""Evaluations side by side: means over seeds, and intervals of the differences.

Intervals are 95 % percentile intervals of the bootstrap, once over frames and once over sequences
(whole infants; with two of them it says little, and that is the point). Differences are paired:
both rows have the same frames, and what is drawn is drawn for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from Datasets.readers.mini_rgbd import HEAD_LENGTH_MM, HEAD_LENGTH_PX
from Engine.errors import DataError
from Engine.files import write_json, write_text
from Engine.provenance import code_identity
from Engine.reading import load_json
from PoseEstimation.evaluation.compare_spec import Row
from PoseEstimation.evaluation.errors_file import FrameErrors, pooled, read_errors
from PoseEstimation.evaluation.report import Table, number
from PoseEstimation.metrics.uncertainty import best_risk_coverage, coverage, risk_coverage

DRAWS, SEED = 2000, 0
SCHEMA = "infantpose-compare/1"
LEVELS = tuple(range(5, 100, 5))
"""Nominal coverages, in percent, of the curve of reliability."""


def compare(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Compute the table.

    Returns:
        By the row's name: ``n_seeds``, ``note``, ``runs`` (what made each), and per measure
        ``mean``, ``sd`` over seeds and ``interval``, over frames and over whole infants;
        ``speed_ratio``, predicted over true; ``calibration`` where it has a sigma; where the row
        is compared, ``against`` and the ``difference``.

    Raises:
        DataError: an evaluation is missing, or rows that are compared have other frames.
    """
    seeds = {row.name: _seeds(row) for row in rows}
    return {row.name: _result(row, seeds) for row in rows}


def _seeds(row: Row) -> list[FrameErrors]:
    """The row's evaluations, one per seed."""
    runs = [read_errors(run) for run in row.runs]
    return [pooled(runs)] if row.pooled else runs


def _result(row: Row, seeds: Mapping[str, Sequence[FrameErrors]]) -> dict[str, Any]:
    """One row of the table."""
    own, where = seeds[row.name], seeds[row.name][0]
    series = [_series(errors) for errors in own]
    mean = _mean(series)
    made = [made_by(run) for run in row.runs]
    result: dict[str, Any] = {"n_seeds": len(own), "note": row.note, "runs": made}
    for key, values in mean.items():
        spread = _spread(series, key)
        result[key] = {"mean": float(np.nanmean(values)), "sd": spread, **_intervals(values, where)}
    if "velocity_mm_s" in mean:
        totals = np.nansum([errors.speeds_mm_s for errors in own], axis=(0, 1))
        result["speed_ratio"] = float(totals[1] / totals[2])
    result["calibration"] = [c for errors in own if (c := _calibration(errors))]
    if row.against is not None:
        _require_same(where, seeds[row.against][0], row)
        other = _mean([_series(errors) for errors in seeds[row.against]])
        result["against"] = row.against
        result["difference"] = {
            key: {"mean": float(np.nanmean(gain)), **_intervals(gain, where)}
            for key, values in mean.items()
            if key in other
            for gain in [values - other[key]]
        }
    return result


def made_by(run: Path) -> dict[str, Any]:
    """Data and weights of an evaluation, or what a chain's stage began with, by sha256."""
    if (run / "metrics.json").is_file():
        found = load_json(run / "metrics.json", "evaluation")
        return {
            "protocol": found["protocol"],
            "input": found["data"]["input"],
            "code_version": found["code_version"],
            "labels_sha256": found["data"]["root_sha256"],
            "weights_sha256": found["weights"].get("sha256", {}),
        }
    if (run / "stage.json").is_file():
        stage = load_json(run / "stage.json", "stage")
        return {"stage": stage["name"], "begins_with": stage["begins_with"]}
    return {}


def _calibration(errors: FrameErrors) -> dict[str, Any]:
    """Coverage and ranking of the error bars, without the root; empty where there are none.

    ``gain_of_certain_80`` is by how much the mean error falls without the fifth that is least
    certain, ``largest_gain_80`` without the fifth that is farthest off.
    """
    rows = np.array([joint != "pelvis" for joint in errors.joints])
    parts: dict[str, tuple[np.ndarray, np.ndarray, Literal[2, 3]]] = {
        "3d": (errors.errors_mm, errors.sigma_mm, 3),
        "2d": (errors.errors_px, errors.sigma_px, 2),
    }
    result: dict[str, Any] = {}
    for kind, (distances, sigma, axes) in parts.items():
        distances, sigma = distances[:, rows], sigma[:, rows]
        if not (np.isfinite(distances) & (sigma > 0)).any():
            continue
        curve = risk_coverage(distances, sigma)
        ideal = best_risk_coverage(distances, sigma)
        result |= {
            f"coverage_90_{kind}": coverage(distances, sigma, axes),
            f"reliability_{kind}": [coverage(distances, sigma, axes, p / 100) for p in LEVELS],
            f"risk_coverage_{kind}": [float(v) for v in curve],
            f"gain_of_certain_80_{kind}": float(100 * (1 - curve[79] / curve[99])),
            f"largest_gain_80_{kind}": float(100 * (1 - ideal[79] / ideal[99])),
        }
    return result


def _series(errors: FrameErrors) -> dict[str, Float[np.ndarray, "frame"]]:
    """Each measure frame by frame: its mean over frames is the protocol's number."""
    series = {"ajpe_mm": np.nanmean(errors.errors_mm, axis=1)}
    if np.isfinite(errors.speeds_mm_s).any():
        series["velocity_mm_s"] = errors.speeds_mm_s[:, 0]
    lengths = np.array([HEAD_LENGTH_MM.get(str(s), np.nan) for s in errors.sequences])
    for factor in (1, 2):
        hits = errors.errors_mm <= factor * lengths[:, None]
        series[f"pckh_{factor}"] = 100 * hits.mean(axis=1)
    if np.isfinite(errors.errors_px).any():
        series["ajpe_2d_px"] = np.nanmean(errors.errors_px, axis=1)
        lengths = np.array([HEAD_LENGTH_PX.get(str(s), np.nan) for s in errors.sequences])
        for factor in (1, 2):
            hits = errors.errors_px <= factor * lengths[:, None]
            series[f"pckh_{factor}_2d"] = 100 * hits.mean(axis=1)
    return series


def _mean(seeds: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Mean over seeds, frame by frame."""
    return {key: np.mean([seed[key] for seed in seeds], axis=0) for key in seeds[0]}


def _spread(seeds: Sequence[Mapping[str, np.ndarray]], key: str) -> float | None:
    """Standard deviation over seeds, None with one."""
    means = [float(np.nanmean(seed[key])) for seed in seeds]
    return float(np.std(means, ddof=1)) if len(means) > 1 else None


def _intervals(values: Float[np.ndarray, "frame"], errors: FrameErrors) -> dict[str, list[float]]:
    """95 % intervals of the mean over frames, and over whole sequences."""
    rng, known = np.random.default_rng(SEED), np.isfinite(values)
    values, sequences = values[known], errors.sequences[known]
    count = len(values)
    drawn = np.array([values[rng.integers(0, count, count)].mean() for _ in range(DRAWS)])
    names = np.unique(sequences)
    totals = np.array([values[sequences == name].sum() for name in names])
    sizes = np.array([(sequences == name).sum() for name in names])
    chosen = rng.integers(0, len(names), (DRAWS, len(names)))
    clustered = totals[chosen].sum(1) / sizes[chosen].sum(1)
    return {
        "interval": [float(v) for v in np.percentile(drawn, [2.5, 97.5])],
        "interval_sequences": [float(v) for v in np.percentile(clustered, [2.5, 97.5])],
    }


def _require_same(first: FrameErrors, second: FrameErrors, row: Row) -> None:
    same = len(first.frames) == len(second.frames) and (
        (first.frames == second.frames).all() and (first.sequences == second.sequences).all()
    )
    if not same:
        raise DataError(f"compare: '{row.name}' and '{row.against}' have other frames")


def table(title: str, results: Mapping[str, Mapping[str, Any]]) -> Table:
    """The comparison as text: mean, sd over seeds, interval over frames, then the difference."""
    keys = [key for key in MEASURES if any(key in result for result in results.values())]
    header = ("row", "seeds", *(MEASURES[key] for key in keys), "speed ratio", "AJPE against")
    rows = tuple(
        (
            f"{name} ({result['note']})" if result["note"] else name,
            str(result["n_seeds"]),
            *(_cell(result.get(key)) for key in keys),
            number(result.get("speed_ratio")),
            _difference(result),
        )
        for name, result in results.items()
    )
    return Table(title, header, rows)


MEASURES = {
    "ajpe_mm": "AJPE mm",
    "pckh_1": "PCKh@1.0",
    "pckh_2": "PCKh@2.0",
    "ajpe_2d_px": "2D AJPE px",
    "pckh_1_2d": "2D PCKh@1.0",
    "pckh_2_2d": "2D PCKh@2.0",
    "velocity_mm_s": "velocity error mm/s",
}


def _cell(measure: Mapping[str, Any] | None) -> str:
    if measure is None:
        return "-"
    low, high = measure["interval"]
    sd = "" if measure["sd"] is None else f" ± {measure['sd']:.2f}"
    return f"{measure['mean']:.2f}{sd} [{low:.2f}, {high:.2f}]"


def _difference(result: Mapping[str, Any]) -> str:
    if "difference" not in result:
        return "-"
    found = result["difference"]["ajpe_mm"]
    frames, infants = found["interval"], found["interval_sequences"]
    return (
        f"{result['against']}: {found['mean']:+.2f} [{frames[0]:+.2f}, {frames[1]:+.2f}], "
        f"infants [{infants[0]:+.2f}, {infants[1]:+.2f}]"
    )


def write_comparison(output: Path, title: str, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Write ``compare.json``, a row per name beside ``about``, and ``table.md``."""
    about = {"schema": SCHEMA, "title": title, "draws": DRAWS, **code_identity()}
    write_json(output / "compare.json", {"about": about, **results})
    write_text(output / "table.md", table(title, results).markdown())
