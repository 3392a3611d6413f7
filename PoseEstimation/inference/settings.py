"""Settings of prediction; free of torch, so that ``--help`` is fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PredictSettings:
    """How frames become poses.

    Attributes:
        device: auto takes CUDA when there is one.
        precision: auto computes in bf16 on CPUs and GPUs built for it, else in 32-bit floats.
        batch_size: frames that go through the networks together.
        flip_test: average each heatmap with that of the mirrored crop (slower, more accurate).
        turn_test: in photos, average it with those of the crop turned by quarters, too; videos are
            spared the time.
        temporal: lift each infant of a video in the light of all its frames.
        min_box_score: a box below this confidence is nobody; None: what the weights say.
        max_infants: keep at most this many, best first.
        fov_degrees: assumed field of view across the longer image side when the camera is unknown.
        track_min_iou: a track goes on when its last box overlaps the new one at least this much.
        track_max_gap_s: a track ends when its infant was not seen for longer than this.
    """

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "bf16", "float32"] = "auto"
    batch_size: int = 4
    flip_test: bool = True
    turn_test: bool = True
    temporal: bool = True
    min_box_score: float | None = None
    max_infants: int = 4
    fov_degrees: float = 60.0
    track_min_iou: float = 0.2
    track_max_gap_s: float = 2.0
