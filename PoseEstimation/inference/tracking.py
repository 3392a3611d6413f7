"""Which infant is which from frame to frame.

The rule: the boxes of a frame are matched to the last box of every living track so that the total
intersection over union is largest (Hungarian assignment); pairs that overlap less than ``min_iou``
do not match. A box without a match starts a new track with the next number. A track that found no
box for longer than ``max_gap_s`` ends, and its number is never given again. Twins that lie side by
side so keep their numbers, also when one of them is out of sight for a moment. Every photo and
every video starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from Datasets.geometry.boxes import iou


@dataclass
class _Track:
    number: int
    box_xyxy: Float[np.ndarray, "4"]
    seen_s: float


class Tracker:
    """Numbers the infants of one video.

    Args:
        min_iou: least overlap with a track's last box.
        max_gap_s: seconds without a box after which a track ends.
    """

    def __init__(self, min_iou: float = 0.2, max_gap_s: float = 2.0) -> None:
        self.min_iou = min_iou
        self.max_gap_s = max_gap_s
        self._tracks: list[_Track] = []
        self._given = 0

    def update(self, boxes_xyxy: Float[np.ndarray, "n 4"], time_s: float) -> list[int]:
        """Give each box of the next frame its number.

        Args:
            boxes_xyxy: (n, 4) shares of the frame's width and height, so that a video may change
                its size; best first; n may be 0.
            time_s: of the frame, not before the last one.

        Returns:
            n track numbers, from 1, all different.
        """
        self._tracks = [t for t in self._tracks if time_s - t.seen_s <= self.max_gap_s]
        matched = self._match(boxes_xyxy)
        for position, box in enumerate(boxes_xyxy):
            if position not in matched:
                self._given += 1
                matched[position] = _Track(self._given, box, time_s)
                self._tracks.append(matched[position])
            matched[position].box_xyxy, matched[position].seen_s = box, time_s
        return [matched[position].number for position in range(len(boxes_xyxy))]

    def _match(self, boxes_xyxy: Float[np.ndarray, "n 4"]) -> dict[int, _Track]:
        """Assign boxes to tracks, by position of the box."""
        if not self._tracks or not len(boxes_xyxy):
            return {}
        from scipy.optimize import linear_sum_assignment

        overlap = iou(np.stack([t.box_xyxy for t in self._tracks]), boxes_xyxy)
        overlap = np.where(overlap >= self.min_iou, overlap, 0.0)
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        pairs = zip(rows, columns, strict=True)
        return {int(c): self._tracks[r] for r, c in pairs if overlap[r, c] > 0}
