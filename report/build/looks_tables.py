"""Tables of what MoveNet as it comes finds on generated people and on photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from Datasets.skeletons import COCO_17
from PoseEstimation.evaluation.report import Table, number

SCHEMA = "infantpose-looks-1"

PARTS = tuple(dict.fromkeys(joint.rpartition("_")[2] for joint in COCO_17.joints))
"""Joints without their sides."""


def looks_tables(content: Mapping[str, Any]) -> list[Table]:
    """Tables of ``metrics.json``."""
    rows, kinds, joints = [], [], []
    for found in content["data"]:
        name = f"{found['name']}, {'real' if found['real'] else 'generated'}"
        low, high = found["interval"] or (None, None)
        interval = f"{number(low, 1)} to {number(high, 1)}"
        stated = number(found["ap_stated_area"], 1)
        rows.append((name, str(found["people"]), number(found["ap"], 1), interval, stated))
        for kind in ("postures", "ages"):
            for group, its in found[kind].items():
                kinds.append((name, group, str(its["people"]), number(its["ap"], 1)))
        joints.append((name, *(number(_pair(found["joints"], part), 0) for part in PARTS)))
    return [
        Table(
            "MoveNet as it comes, true boxes, best of four turns",
            ("people of", "number", "AP", "95 %", "AP by the stated area"),
            tuple(rows),
        ),
        Table("The same by kind", ("people of", "kind", "number", "AP"), tuple(kinds)),
        Table("Mean OKS of each joint, %", ("people of", *PARTS), tuple(joints)),
    ]


def _pair(joints: Mapping[str, float | None], part: str) -> float | None:
    """Mean over both sides."""
    values = [v for joint, v in joints.items() if joint.rpartition("_")[2] == part]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
