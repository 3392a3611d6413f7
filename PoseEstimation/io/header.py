"""What the files of a result say beside its frames, and how a writer takes frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from Datasets.skeletons import Skeleton
from PoseEstimation.quality import Quality
from PoseEstimation.result import FrameResult


@dataclass(frozen=True)
class Header:
    """Everything but the frames.

    Attributes:
        skeleton: convention of every per-joint array.
        model: name, sha256 of each network, versions.
        assumptions: about the camera and the infant's size.
        frame_counts: frames of each source, known before the first of them is written.
        image_ids: COCO image ids by source, or None to count from 1.
        interrupted: the user stopped, or the disk is full.
        quality: of the frames so far; whoever writes them adds each first.
    """

    skeleton: Skeleton
    model: Mapping[str, Any]
    assumptions: Mapping[str, Any]
    frame_counts: Mapping[str, int]
    image_ids: Mapping[str, int] | None = None
    interrupted: bool = False
    quality: Quality = field(default_factory=Quality)

    @property
    def complete(self) -> bool:
        """Whether everything was done and nothing of a frame failed; true of the frames so far."""
        return self.quality.complete and not self.interrupted


Write = Callable[[FrameResult], None]
Writer = Callable[[Path, Header], AbstractContextManager[Write]]
"""Opens a file and gives what writes a frame; the file appears whole when the block succeeds."""
