"""The shipped weights on the benchmark, part by part: rows that a whole evaluation cannot give.

Nothing is trained. What the 2D network sees is written down once and lifted in several ways.
"""

from __future__ import annotations

from pathlib import Path

from Datasets.sources import DataSource
from PoseEstimation.chains.chain import Stage
from PoseEstimation.stage_settings import DetectionCacheSettings, ScoreSettings


def shipped_chain(folder: Path, weights: Path, published_lifter: Path, data: Path) -> list[Stage]:
    """List the stages.

    Args:
        folder: of the chain.
        weights: folder of the weight set.
        published_lifter: lifter of the chain ``ellershaw``, trained on true 2D joints.
        data: folder of MINI-RGBD, or of the benchmark in its layout.
    """
    heatmap, detector = (weights / f"{name}.safetensors" for name in ("heatmap", "detector"))
    lifter = weights / "lifter.safetensors"
    looks = [
        Stage(
            f"sees-{split}",
            DetectionCacheSettings(
                DataSource("mini_rgbd", split, data), heatmap, detector=detector
            ),
        )
        for split in ("9-10", "11-12")
    ]
    held_out, test = (folder / stage.name / "observed.npz" for stage in looks)
    return [
        *looks,
        Stage("held-out", ScoreSettings(held_out, lifter)),
        Stage("test", ScoreSettings(test, lifter)),
        Stage("depths-hidden", ScoreSettings(test, lifter, depths=False)),
        Stage("frame-by-frame", ScoreSettings(test, lifter, temporal=False)),
        Stage("published-lifter", ScoreSettings(test, published_lifter)),
    ]
