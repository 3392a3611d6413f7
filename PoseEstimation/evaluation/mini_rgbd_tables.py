"""The MINI-RGBD tables: our rows beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PoseEstimation.evaluation.published import MINI_RGBD_2D, MINI_RGBD_3D, PublishedRow
from PoseEstimation.evaluation.report import Table, number
from PoseEstimation.metrics.protocols import COLUMNS

_REAL = "the real MINI-RGBD"
_LABELS_3D = {
    "ajpe_mm": "AJPE mm",
    "ajpe_no_root_mm": "no root",
    "pckh_1": "PCKh@1.0",
    "pckh_2": "PCKh@2.0",
}
_LABELS_2D = {
    "ajpe_2d_px": "AJPE px",
    "pckh_1_2d": "PCKh@1.0",
    "pckh_2_2d": "PCKh@2.0",
    "mean_iou": "box IoU",
    "box_ap50": "box AP50",
}

FEW = 6
"""Sequences that a row names one by one."""

_FRONT = ("system", "input", "measured on", "head length")
_RATES = tuple(f"pckh_{factor}{kind}" for factor in (1, 2) for kind in ("", "_2d"))


def mini_rgbd_tables(metrics: Mapping[str, Any]) -> tuple[Table, ...]:
    """Tables of a MINI-RGBD ``metrics.json``: 3D, 2D (when predicted), per joint."""
    tables = [_beside("3D pose, 16 joints, pelvis-relative", metrics, MINI_RGBD_3D, _LABELS_3D)]
    if "ajpe_2d_px" in metrics["clean"]:
        tables.append(_beside("2D pose and boxes, 16 joints", metrics, MINI_RGBD_2D, _LABELS_2D))
    return (*tables, _infant_table(metrics), _joint_table(metrics))


def mini_rgbd_notes(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """What a reader of the tables must know, one line each."""
    data, counts = metrics["data"], metrics["counts"]
    notes = [
        "Rates in percent. 'paper' counts a distance of exactly 0 as a miss, as the published "
        "evaluator does; 'clean' as a hit. The root is one of the 16 joints.",
        "Published rows were measured on the real MINI-RGBD; "
        + f"ours on {_set_name(data)}: {data['frames']} frames"
        + (f", one in {data['every']}" if data["every"] > 1 else "")
        + f", labels sha256 {data['root_sha256'][:12]}.",
    ]
    notes.append(_also(metrics["clean"]))
    if not data["real"]:
        notes.append(f"Not the official set: {data['not_real_because'][0]}.")
    if "frames_without_detection" in counts:
        found = f"Frames without a detection: {counts['frames_without_detection']}"
        notes.append(f"{found} ({counts['rule_without_detection']}).")
    return tuple(notes)


def _also(clean: Mapping[str, Any]) -> str:
    """Measures that the published systems did not print."""
    labels = {
        "pa_mpjpe_mm": ("aligned by scale, rotation and shift", "mm"),
        "scale_mpjpe_mm": ("aligned by scale", "mm"),
        "velocity_mm_s": ("error of velocity", "mm/s"),
        "box_ap": ("box AP", "%"),
    }
    parts = [f"{text} {clean[k]:.2f} {unit}" for k, (text, unit) in labels.items() if k in clean]
    return f"Also: {', '.join(parts)}."


def _beside(
    title: str,
    metrics: Mapping[str, Any],
    published: Sequence[PublishedRow],
    labels: dict[str, str],
) -> Table:
    """Our rows first, the published ones below."""
    mine = _our_rows(metrics, labels)
    theirs = [
        (r.system, r.takes, f"{_REAL} 11-12", "published", *_cells(r.values, labels))
        for r in published
    ]
    rows = tuple([*mine, *theirs])
    return Table(title, (*_FRONT, *labels.values()), rows, frozenset(range(len(mine))))


def _our_rows(metrics: Mapping[str, Any], labels: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Both columns at the published head lengths (where any), then at the measured ones."""
    data = metrics["data"]
    name = _system(metrics)
    takes = "RGB" if data["input"] == "predicted" else "true 2D"
    takes += ", true boxes" if data["boxes"] == "true" else ""
    where = _set_name(data)
    rows = []
    for length, ending in (("published", ""), ("measured", "_measured")):
        for column in COLUMNS:
            values = metrics[column]
            shown = {k: values.get(f"{k}{ending}" if k in _RATES else k) for k in labels}
            if any(shown[k] is not None for k in labels if k in _RATES):
                front = (f"{name}, {column}", takes, where, length)
                rows.append((*front, *_cells(shown, labels)))
    return rows


def _system(metrics: Mapping[str, Any]) -> str:
    """Name what was measured."""
    return str(metrics["weights"].get("name", "this run"))


def _set_name(data: Mapping[str, Any]) -> str:
    """Name what was measured on: the set and its sequences."""
    return f"{_REAL if data['real'] else 'generated data'} {_span(data['sequences'])}"


def _span(sequences: Sequence[str]) -> str:
    """Name a run of sequences by its ends, 11-12, a few by their names, many by their number."""
    first, last = int(sequences[0]), int(sequences[-1])
    consecutive = last - first + 1 == len(sequences)
    if len(sequences) > 1 and consecutive:
        return f"{sequences[0]}-{sequences[-1]}"
    return ", ".join(sequences) if len(sequences) <= FEW else f"({len(sequences)} sequences)"


def _cells(values: Mapping[str, float | None], labels: Mapping[str, str]) -> list[str]:
    return [number(values.get(key)) for key in labels]


def _infant_table(metrics: Mapping[str, Any]) -> Table:
    """AJPE over infants, apart for each source of their movement."""
    system, measures = _system(metrics), ("ajpe_mm", "sd_mm", "worst_mm")
    rows = tuple(
        (system, group, str(row["infants"]), *(number(row[name]) for name in measures))
        for group, row in metrics.get("infants", {}).items()
    )
    header = ("system", "movement", "infants", "AJPE mm", "sd", "worst")
    return Table("Over infants", header, rows, frozenset(range(len(rows))))


def _joint_table(metrics: Mapping[str, Any]) -> Table:
    """Errors and rates per joint; at the measured head lengths where no published one exists."""
    ending = "" if "pckh_1" in metrics["clean"] else "_measured"
    columns = [("AJPE mm", "clean", "ajpe_mm")]
    columns += [
        (f"{_LABELS_3D[key]} {column}", column, f"{key}{ending}")
        for key in ("pckh_1", "pckh_2")
        for column in COLUMNS
    ]
    if "ajpe_2d_px" in metrics["clean"]:
        columns.append(("AJPE px", "clean", "ajpe_2d_px"))
        columns += [(f"2D PCKh@1.0 {c}", c, f"pckh_1_2d{ending}") for c in COLUMNS]
    by_joint = metrics["per_joint"]
    rows = tuple(
        (joint, *(number(by_joint[column][joint].get(key), 1) for _, column, key in columns))
        for joint in by_joint["clean"]
    )
    return Table("Per joint", ("joint", *(label for label, _, _ in columns)), rows)
