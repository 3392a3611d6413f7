"""How far a prediction can be trusted: how often and how confidently infants are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from PoseEstimation.result import FrameResult

CARER_UNKNOWN = "unknown: the detector knows infants only"
ERRORS_KEPT = 20


class Quality:
    """Counts over the frames of a prediction, one frame at a time.

    Attributes:
        errors: the first ``ERRORS_KEPT`` errors.
        failed: number of frames with an error.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.failed = 0
        self._frames = self._found = self._joints = 0
        self._looked = self._carers = 0
        self._confidence = 0.0
        self._notes: Counter[str] = Counter()
        self._times: dict[str, tuple[float, float, int]] = {}

    @classmethod
    def of(cls, frames: Iterable[FrameResult]) -> Quality:
        """Count all frames of a prediction."""
        quality = cls()
        for frame in frames:
            quality.add(frame)
        return quality

    def add(self, frame: FrameResult) -> None:
        """Count a frame; unreadable ones, too."""
        self._frames += 1
        self._notes.update(frame.notes)
        first, _, count = self._times.get(frame.source, (frame.time_s, 0.0, 0))
        self._times[frame.source] = first, frame.time_s, count + 1
        if frame.error is not None:
            self.failed += 1
            self.errors += [frame.error] if len(self.errors) < ERRORS_KEPT else []
            return
        self._found += bool(frame.infants)
        for infant in frame.infants:
            self._confidence += float(infant.keypoint_scores.sum())
            self._joints += len(infant.keypoint_scores)
        self._looked += frame.adults is not None
        self._carers += bool(frame.adults)

    @property
    def complete(self) -> bool:
        """Whether no frame failed."""
        return self.failed == 0

    def frame_counts(self) -> dict[str, int]:
        """Frames of each source."""
        return {source: count for source, (_, _, count) in self._times.items()}

    def summary(self) -> dict[str, Any]:
        """Describe the frames so far.

        Returns:
            Counts, percent of readable frames with an infant, mean joint confidence of the infants
            found, whether an adult was found (None when the detector knows infants only), duration
            and frame rate over all videos (None for photos), and the notes of reading with the
            number of frames that each holds for.
        """
        readable = self._frames - self.failed
        spans = [(last - first, n - 1) for first, last, n in self._times.values() if n > 1]
        duration_s, intervals = sum(s for s, _ in spans), sum(n for _, n in spans)
        return {
            "frames": self._frames,
            "frames_unreadable": self.failed,
            "frames_with_infant": self._found,
            "infant_found_percent": 100.0 * self._found / readable if readable else None,
            "mean_confidence": self._confidence / self._joints if self._joints else None,
            **self._carer(),
            "fps": intervals / duration_s if duration_s > 0 else None,
            "duration_s": duration_s if intervals else None,
            "notes": [{"note": note, "frames": count} for note, count in self._notes.items()],
        }

    def _carer(self) -> dict[str, Any]:
        """Whether an adult is in any frame, and in how many."""
        if not self._looked:
            return {"carer_present": None, "carer_present_note": CARER_UNKNOWN}
        note = f"an adult was found in {self._carers} of {self._looked} frames"
        return {"carer_present": self._carers > 0, "carer_present_note": note}
