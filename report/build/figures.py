"""The report's plots, from stored results alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen before
from matplotlib.figure import Figure

from Engine.files import replacing
from PoseEstimation.evaluation.compare import LEVELS

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLOURS = ("#1b6ca8", "#c8502d", "#4b8b3b", "#8a5aa8", "#b58a1e", "#666666")
STYLE: dict[RcKeyType, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "legend.frameon": False,
}


def write_figure(path: Path, figure: Figure) -> None:
    """Write a PNG that depends on nothing but the figure, and close it."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def per_joint(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Mean error of each joint, a bar per result.

    Args:
        rows: label to the contents of ``metrics.json``.
    """
    first = next(iter(rows.values()))["per_joint"]["clean"]
    joints = [joint for joint in first if first[joint].get("ajpe_mm")]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 3.2))
        width = 0.8 / len(rows)
        for i, (label, metrics) in enumerate(rows.items()):
            values = [metrics["per_joint"]["clean"][joint]["ajpe_mm"] for joint in joints]
            places = [j + (i - (len(rows) - 1) / 2) * width for j in range(len(joints))]
            axes.bar(places, values, width, label=label)
        names = [joint.replace("_", " ") for joint in joints]
        axes.set_xticks(range(len(joints)), names, fontsize=8, rotation=35, ha="right")
        axes.set_ylabel("mean error (mm)")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=len(rows))
    return figure


def calibration(rows: Mapping[str, Mapping[str, Any]], kind: str = "3d") -> Figure:
    """Left: observed over promised coverage; right: mean error of the most certain joints.

    Args:
        rows: label to a row of ``calibration.json``.
        kind: ``3d`` or ``2d``.
    """
    unit = "mm" if kind == "3d" else "px"
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
        left.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=1)
        for label, row in rows.items():
            found = row["calibration"][0]
            if f"reliability_{kind}" not in found:
                continue
            left.plot(LEVELS, found[f"reliability_{kind}"], label=label)
            curve = found[f"risk_coverage_{kind}"]
            right.plot(range(1, 101), curve, label=label)
        left.set(xlabel="promised coverage (%)", ylabel="observed coverage (%)")
        right.set(xlabel="most certain joints kept (%)", ylabel=f"mean error ({unit})")
        right.set_ylim(bottom=0)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def learning_curves(chains: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Validation loss of every training stage over its minutes.

    Args:
        chains: contents of ``chains.json``.
    """
    shown = {
        f"{chain} {stage['name']}": stage["curve"]
        for chain, stages in chains.items()
        for stage in stages
        if len(stage.get("curve", {}).get("value", [])) > 1
    }
    with plt.rc_context(STYLE):
        columns = 3
        rows = max(1, -(-len(shown) // columns))
        figure, grid = plt.subplots(
            rows, columns, figsize=(9, 2.2 * rows), squeeze=False, layout="constrained"
        )
        for axes in grid.flat[len(shown) :]:
            axes.axis("off")
        for axes, (label, curve) in zip(grid.flat, shown.items(), strict=False):
            axes.plot(curve["minutes"], curve["value"], marker=".", markersize=3)
            axes.set_title(label, fontsize=8)
            axes.set_ylabel("validation loss", fontsize=7)
            axes.set_xlabel("minutes", fontsize=7)
            axes.tick_params(labelsize=7)
    return figure


def ablation(rows: Mapping[str, Mapping[str, Any]]) -> Figure:
    """What each change costs: difference of AJPE to the row it is compared with, with intervals.

    Args:
        rows: ``ablation.json`` without ``about``.
    """
    shown = {name: row["difference"]["ajpe_mm"] for name, row in rows.items() if "against" in row}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 0.26 * len(shown) + 0.8))
        for i, value in enumerate(reversed(shown.values())):
            low, high = value["interval"]
            axes.barh(i, value["mean"], color=COLOURS[0 if value["mean"] > 0 else 1], height=0.7)
            axes.plot([low, high], [i, i], color="#222222", linewidth=1)
        axes.set_yticks(range(len(shown)), list(reversed(shown)), fontsize=8)
        axes.axvline(0, color="#888888", linewidth=0.8)
        axes.set_xlabel("change of AJPE (mm); right of zero is worse")
    return figure
