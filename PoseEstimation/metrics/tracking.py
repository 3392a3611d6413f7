"""How well infants keep their numbers from frame to frame."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def identity_switches(true_ids: Iterable[Hashable], track_ids: Iterable[int]) -> int:
    """Count how often an infant's track changes, as in MOTA (Bernardin & Stiefelhagen, 2008).

    Args:
        true_ids: who each detection is, in order of time; leave out frames that miss the infant.
        track_ids: its track.
    """
    last: dict[Hashable, int] = {}
    switches = 0
    for person, track in zip(true_ids, track_ids, strict=True):
        switches += int(last.get(person, track) != track)
        last[person] = track
    return switches
