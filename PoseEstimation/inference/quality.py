"""How far a prediction can be trusted as a whole: how often and how surely an infant was found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from PoseEstimation.result import FrameResult

CARER_UNKNOWN = "unknown: the detector knows infants only"


def quality_of(frames: Sequence[FrameResult]) -> dict[str, Any]:
    """Summarise the frames of a prediction.

    Args:
        frames: all of them, unreadable ones included.

    Returns:
        Counts, percent of readable frames with an infant, mean joint confidence of the infants
        found, whether an adult was seen (None when the detector does not look for any), duration
        and frame rate over all videos (None for photos), and what was noted while reading with the
        number of frames that it holds for.
    """
    readable = [frame for frame in frames if frame.error is None]
    found = [frame for frame in readable if frame.infants]
    scores = [infant.keypoint_scores for frame in found for infant in frame.infants]
    duration_s, intervals = _duration(frames)
    return {
        "frames": len(frames),
        "frames_unreadable": len(frames) - len(readable),
        "frames_with_infant": len(found),
        "infant_found_percent": 100.0 * len(found) / len(readable) if readable else None,
        "mean_confidence": float(np.mean(scores)) if scores else None,
        **_carer(readable),
        "fps": intervals / duration_s if duration_s > 0 else None,
        "duration_s": duration_s if intervals else None,
        "notes": [
            {"note": note, "frames": count}
            for note, count in Counter(note for frame in frames for note in frame.notes).items()
        ],
    }


def _carer(readable: Sequence[FrameResult]) -> dict[str, Any]:
    """Whether somebody grown up is in any frame, and in how many."""
    looked = [frame for frame in readable if frame.adults is not None]
    if not looked:
        return {"carer_present": None, "carer_present_note": CARER_UNKNOWN}
    seen = sum(bool(frame.adults) for frame in looked)
    note = f"an adult was found in {seen} of {len(looked)} frames"
    return {"carer_present": seen > 0, "carer_present_note": note}


def _duration(frames: Sequence[FrameResult]) -> tuple[float, int]:
    """Seconds from first to last frame and intervals between frames, over all videos."""
    times: dict[str, list[float]] = defaultdict(list)
    for frame in frames:
        times[frame.source].append(frame.time_s)
    spans = [t for t in times.values() if len(t) > 1]
    return sum(t[-1] - t[0] for t in spans), sum(len(t) - 1 for t in spans)
