"""Tables of lifters that were measured over infants, of ``report.experiments.lifter``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from PoseEstimation.evaluation.report import Table, number

SCHEMA = "infantpose-lifter/1"
FULL = "full"
"""The row that the others are set against."""

DRAWS, SEED = 2000, 0


def lifter_tables(record: Mapping[str, Any]) -> list[Table]:
    """Tables of a ``lifter.json``: accuracy, differences, error bars and tracks, where measured."""
    tables = [_accuracy(record)]
    if len(record["rows"]) > 1:
        tables.append(_differences(record))
    for row in record["rows"]:
        if "coverage" in row:
            tables.append(_coverage(row, _groups(record)))
        if "tracks" in row:
            tables.append(_tracks(row))
    return tables


def _groups(record: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Which infants count: all, those whose source of movement is trained on, and the others."""
    seen = np.array(record["seen"])
    return {"all": np.full(len(seen), True), "seen movement": seen, "unseen movement": ~seen}


def _accuracy(record: Mapping[str, Any]) -> Table:
    groups, rows = _groups(record), []
    for row in record["rows"]:
        first = np.mean(next(iter(row["cases"].values()))["ajpe_mm"])
        for case, its in row["cases"].items():
            ajpe = np.array(its["ajpe_mm"])
            means = [_mean(ajpe[chosen]) for chosen in groups.values()]
            cost = f"{100 * (ajpe.mean() / first - 1):+.0f} %"
            parts = [_known(its.get(name)) for name in ("scaled_mm", "aligned_mm")]
            more = (f"{ajpe.std():.2f}", f"{ajpe.max():.2f}", *parts, cost)
            rows.append((row["name"], case, *means, *more, number(np.median(its["speed_ratio"]))))
    header = (
        *("lifter", "given", *groups, "sd", "worst infant", "after one scale"),
        *("after one scale and rotation", "over the first", "speed ratio"),
    )
    infants = len(record["infants"])
    return Table(f"AJPE from true 2D joints over {infants} infants, mm", header, tuple(rows))


def _differences(record: Mapping[str, Any]) -> Table:
    """Paired differences to ``FULL`` with 95 % intervals of the bootstrap over infants."""
    groups, rows = _groups(record), []
    full = next(row for row in record["rows"] if row["name"] == FULL)
    for row in record["rows"]:
        if row is full:
            continue
        for case, its in row["cases"].items():
            gain = np.array(its["ajpe_mm"]) - np.array(full["cases"][case]["ajpe_mm"])
            rows.append((row["name"], case, *(_interval(gain[g]) for g in groups.values())))
    header = ("lifter", "given", *groups)
    return Table("AJPE against the full one, mm [95 % over infants]", header, tuple(rows))


def _interval(values: np.ndarray) -> str:
    if not len(values):
        return "-"
    chosen = np.random.default_rng(SEED).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.percentile(values[chosen].mean(1), [2.5, 97.5])
    return f"{values.mean():+.2f} [{low:+.2f}, {high:+.2f}]"


def _coverage(row: Mapping[str, Any], groups: Mapping[str, np.ndarray]) -> Table:
    rows = []
    for frames, shares in row["coverage"].items():
        values = np.array(shares)
        means = [_mean(values[chosen], 1) for chosen in groups.values()]
        held = 100 * np.mean((values >= 75) & (values <= 99))
        rows.append((frames, *means, f"{held:.0f}"))
    header = ("frames of a clip", *groups, "% of infants between 75 and 99 %")
    return Table(f"{row['name']}: joints within 90 % error bars, %", header, tuple(rows))


def _tracks(row: Mapping[str, Any]) -> Table:
    """A row per track, then the means; of bones how far they are off on average."""
    rows = []
    measures = ("reprojection_px", "bone_change", "hands_mm", "turned_mm")
    for number_, track in enumerate(row["tracks"], 1):
        bones = (
            f"{own:.2f} ({100 * (own / apparent - 1):+.0f} %)"
            for own, apparent in track["bones"].values()
        )
        rows.append((f"{number_:02d}", *bones, *(number(track[name]) for name in measures)))
    pairs = np.array([[*track["bones"].values()] for track in row["tracks"]])
    off = 100 * np.abs(pairs[..., 0] / pairs[..., 1] - 1).mean(0)
    means = np.array([[track[name] for name in measures] for track in row["tracks"]]).mean(0)
    rows.append(("mean", *(f"{value:.0f} % off" for value in off), *map(number, means.tolist())))
    header = (
        *("track", *row["tracks"][0]["bones"], "reprojection px", "change of bones %"),
        *("hands above the trunk mm", "change when turned mm"),
    )
    title = f"{row['name']}: real infants, bones over the trunk (against what is apparent)"
    return Table(title, header, tuple(rows))


def _known(values: Sequence[float] | None) -> str:
    """The mean of what was measured; earlier records lack some."""
    return number(None if values is None else float(np.mean(values)))


def _mean(values: np.ndarray, decimals: int = 2) -> str:
    return number(float(values.mean()) if len(values) else None, decimals)
