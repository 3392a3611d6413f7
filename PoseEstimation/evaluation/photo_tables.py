"""Tables of an evaluation on photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PoseEstimation.evaluation.photo_ap import AP_KEYS
from PoseEstimation.evaluation.report import Table, number


def syrip_tables(metrics: dict[str, Any]) -> tuple[Table, ...]:
    """Boxes, joints, postures and 3D."""
    clean, name = metrics["clean"], str(metrics["weights"].get("name", "this run"))
    rows = tuple(
        (
            f"{name}, {kind} boxes",
            *(number(found[k], 1) for k in AP_KEYS),
            interval_text(found["interval"]),
        )
        for kind, found in metrics["boxes"].items()
    )
    tables = [
        Table("Joints by OKS", ("boxes", "AP", "AP50", "AP75", "AR", "95 % of AP"), rows),
        group_table("Postures, true boxes", "posture", metrics["postures"]),
        group_table("Skin, true boxes", "skin of the face", metrics["skin"]),
        Table(
            "Turned photos",
            ("degrees", "AP", "change", "AP own boxes", "change"),
            tuple(
                (degrees, *(number(row[k], 1) for k in row))
                for degrees, row in metrics["rotations"].items()
            ),
        ),
    ]  # fmt: skip
    if "pa_mpjpe_mm" in clean:
        keys = ("pa_mpjpe_mm", "scale_mpjpe_mm", "limb_degrees")
        limbs = [(name, *(number(clean.get(k), 1) for k in keys))]
        for other, values in metrics["yardstick"].items():
            limbs.append((other, *(number(values.get(k), 1) for k in keys)))
        header = ("weak truth", "PA-MPJPE mm", "scale-aligned MPJPE mm", "limbs off by degrees")
        tables.append(
            Table("3D against weak truth, 12 limb joints, true boxes", header, tuple(limbs))
        )
    return tuple(tables)


def group_table(title: str, kind: str, groups: dict[str, dict[str, Any]]) -> Table:
    """AP of groups of photos."""
    rows = tuple(
        (name, str(found["photos"]), number(found["ap"], 1), interval_text(found["interval"]),
         number(found["ap_own_boxes"], 1))
        for name, found in groups.items()
    )  # fmt: skip
    return Table(title, (kind, "photos", "AP", "95 %", "AP own boxes"), rows)


def syrip_notes(metrics: dict[str, Any]) -> tuple[str, ...]:
    """What the numbers rest on."""
    clean, counts = metrics["clean"], metrics["counts"]
    bare = counts.get("photos_without_area", 0)
    return (
        *([f"{bare} photos without an area are left out of the AP of joints."] if bare else []),
        f"{counts['photos']} photos; box AP50 {number(clean['box_ap50'], 1)}, "
        f"AP {number(clean['box_ap'], 1)}; {counts['photos_without_detection']} without a box.",
        f"PCKh@0.5 {number(clean.get('pckh_05'), 1)}: {counts['rule']}.",
        "Intervals: bootstrap over the photos' sources.",
        "Skin: individual typology angle of the pixels between eyes and nose, measured; light from "
        "41 degrees, medium from 10.",
    )


def interval_text(interval: Sequence[float] | None) -> str:
    """Both ends of an interval, or a dash."""
    return "-" if interval is None else f"{interval[0]:.1f} - {interval[1]:.1f}"
