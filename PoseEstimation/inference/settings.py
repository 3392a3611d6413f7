"""Settings of prediction; free of torch, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from Engine.settings import Limits, Settings, limited, share

FOV_DEGREES = (5.0, 170.0)
LENGTH_CM = Limits(30.0, 110.0)
"""Crown-heel lengths of infants, with room to spare."""


@dataclass(frozen=True)
class PredictSettings(Settings):
    """How frames become poses.

    Attributes:
        device: auto takes CUDA when there is one.
        precision: auto computes in bf16 on CPUs and GPUs built for it, else in 32-bit floats.
        batch_size: frames that go through the networks together.
        flip_test: average each heatmap with that of the mirrored crop (slower, more accurate).
        turn_test: in photos, look at the crop turned by quarters, too; videos are spared the time.
        turns: what becomes of the four: their average, or the one with the highest mean score,
            which suits networks that know people upright.
        temporal: lift each infant of a video in the light of all its frames.
        min_box_score: a box below this confidence is nobody; None: what the weights say.
        max_infants: keep at most this many, best first.
        fov_degrees: assumed field of view across the longer image side when the camera is unknown.
        track_min_iou: a track goes on when its last box overlaps the new one at least this much.
        track_max_gap_s: a track ends when its infant was not seen for longer than this.
    """

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "bf16", "float32"] = "auto"
    batch_size: int = limited(4, 1, 1024)
    flip_test: bool = True
    turn_test: bool = True
    turns: Literal["average", "best"] = "average"
    temporal: bool = True
    min_box_score: float | None = share(None)
    max_infants: int = limited(4, 1, 100)
    fov_degrees: float = limited(60.0, *FOV_DEGREES)
    track_min_iou: float = share(0.2)
    track_max_gap_s: float = limited(2.0, 0.0, 3600.0)
