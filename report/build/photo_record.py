"""``real.json``: what was measured on photos, from the evaluations' files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from Engine.errors import DataError
from Engine.reading import load_json
from PoseEstimation.evaluation.photo_tables import group_table, interval_text, syrip_tables
from PoseEstimation.evaluation.report import Table, number

SCHEMA = "infantpose-photos-1"
HEADLINE = ("ap", "ap50", "ap75", "ar", "box_ap", "box_ap50", "pckh_05")
SPATIAL = ("pa_mpjpe_mm", "scale_mpjpe_mm", "limb_degrees")
ALARMS = (
    "false_alarm_rate",
    "mistaken_rate",
    "carer_recall",
    "box_ap50_ranked",
    "frames",
    "frames_without_infant",
)
DETECTOR_KEYS = ("false_alarm_rate", "mistaken_rate", "carer_recall")
MADE_BY = ("data", "weights", "command", "code_version")


def real_record(
    photos: Path,
    detectors: Mapping[str, Path] | None = None,
    mixes: Mapping[str, Path] | None = None,
    generated: Path | None = None,
) -> dict[str, Any]:
    """Collect the measures of evaluations.

    Args:
        photos: folder of ``infantpose evaluate syrip`` on the held-out photos.
        detectors: data set to folder of ``infantpose evaluate detector``.
        mixes: what the 2D network learnt from to folder of a score of the chain ``real_mix``.
        generated: folder of ``infantpose evaluate syrip`` on generated photos.

    Raises:
        DataError: an evaluation is missing or of another kind.
    """
    found = _syrip(photos)
    if "clean" not in found:
        raise DataError(f"{photos}: scores a 2D network alone; run 'infantpose evaluate syrip'")
    record = {
        "schema": SCHEMA,
        **{key: found["clean"][key] for key in (*HEADLINE, *SPATIAL) if key in found["clean"]},
        "interval": found["boxes"][found["data"]["boxes"]]["interval"],
        "boxes": found["boxes"],
        "postures": found["postures"],
        "skin": found["skin"],
        "rotations": found["rotations"],
        "yardstick": found["yardstick"],
        "counts": found["counts"],
        "source_mix": {name: _headline(_syrip(path)) for name, path in (mixes or {}).items()},
        "made_by": _made_by(found),
    }
    alarms = {name: _detector(path) for name, path in (detectors or {}).items()}
    record["made_by"]["detectors"] = {name: found["made_by"] for name, found in alarms.items()}
    for key in ALARMS:
        named = {name: found.get(key) for name, found in alarms.items()}
        record[key] = {name: value for name, value in named.items() if value is not None}
    if generated is not None:
        views = _syrip(generated)
        record["generated_postures"] = views["postures"]
        record["made_by"]["generated"] = _made_by(views)
    return record


def _made_by(found: dict[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in MADE_BY if key in found}


def _syrip(folder: Path) -> dict[str, Any]:
    """Metrics of photos.

    Raises:
        DataError: there are none.
    """
    found = load_json(folder / "metrics.json", "evaluation")
    if found.get("protocol") != "syrip":
        raise DataError(f"{folder}: is no evaluation of SyRIP; run 'infantpose evaluate syrip'")
    return found


def _headline(found: dict[str, Any]) -> dict[str, Any]:
    kind = found["boxes"]["true"]
    return {
        "ap": kind["ap"],
        "interval": kind["interval"],
        "photos": found["counts"]["photos"],
        "made_by": _made_by(found),
    }


def _detector(folder: Path) -> dict[str, Any]:
    """Figures of a detector, and what they were measured with.

    Raises:
        DataError: there are none.
    """
    found = load_json(folder / "metrics.json", "evaluation")
    if found.get("protocol") != "detector":
        raise DataError(f"{folder}: has no false alarms; run 'infantpose evaluate detector'")
    return {**found["clean"], **found["counts"], "made_by": _made_by(found)}


def record_tables(record: Mapping[str, Any]) -> list[Table]:
    """Tables of a record of ``real_record``."""
    metrics = {**record, "clean": record, "weights": record["made_by"]["weights"]}
    tables = list(syrip_tables(metrics))
    if "generated_postures" in record:
        title = "Postures of generated photos, true boxes"
        tables.append(group_table(title, "posture", record["generated_postures"]))
    rows = tuple(
        (name, str(found["photos"]), number(found["ap"], 1), interval_text(found["interval"]))
        for name, found in record["source_mix"].items()
    )
    if rows:
        title = "What each source adds, true boxes"
        tables.append(Table(title, ("learnt from", "photos", "AP", "95 %"), rows))
    rows = tuple(
        (
            name,
            str(frames),
            str(record["frames_without_infant"][name]),
            *(number(record[key].get(name), 1) for key in DETECTOR_KEYS),
        )
        for name, frames in record["frames"].items()
    )
    if rows:
        header = (
            "images",
            "number",
            "without an infant",
            "infant found there, %",
            "anything taken for an infant, % of all",
            "adults found, %",
        )
        tables.append(Table("Detector", header, rows))
    return tables
