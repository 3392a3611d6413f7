"""The journal of an unfinished prediction: frames that are finished stay finished.

``poses.unfinished.jsonl`` holds what the networks found in the image, one line per batch of frames,
written as soon as the batch is done. A prediction that was stopped, killed or that ran out of disk
goes on from it when the same command is started again; ``poses.json`` is made from it at the end,
and then the journal is removed.

Lines: ``{"key": ...}`` says which weights, settings, camera and overlays the lines after it belong
to; lines under another key do not count and stay, as do those of sources that are not asked for.
``{"source": path, "stamp": [size, mtime], "frames": [...]}`` is a batch; ``{"source": path,
"stamp": ..., "end": {"overlay": ...}}`` says that the source is finished, and its overlay, which is
known by its stamp: another command may have drawn another one since. Numbers have all their digits,
so that a prediction that was interrupted ends with the same bytes as one that was not. A last line
that was cut is dropped.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from Engine.files import cannot_write, lock, write_bytes
from PoseEstimation.result import Adult, FrameResult, InfantPose

FILE_NAME = "poses.unfinished.jsonl"

_ARRAYS = frozenset(
    ("box_xyxy", "keypoints_px", "keypoint_scores", "sigma_px", "depth_px", "suspected_xyxy")
)
_LIFTED = ("joints_mm", "sigma_mm", "root_mm")
"""Made from the other values at the end, not kept."""


@dataclass
class Recorded:
    """What the journal holds of one source.

    Attributes:
        batches: finished frames, in the batches in which the networks saw them.
        end: what was said at the end of the source; None when it is not finished.
    """

    batches: list[tuple[FrameResult, ...]] = field(default_factory=list)
    end: dict[str, Any] | None = None

    def ended_with(self, overlay: Path | None) -> bool:
        """Whether the source is finished, and this is the overlay that was drawn of it."""
        if self.end is None or overlay is None:
            return self.end is not None
        return self.end["overlay"] is not None and self.end["overlay"] == _stamped(overlay)


class Journal:
    """An open journal, which no other process can open; closes with the ``with`` block.

    Args:
        path: the file; it goes on where it is there already.
        key: identifies weights, settings and camera: only lines under the same key count.

    Raises:
        DataError: another process has it open.
        WriteError: the file cannot be opened for writing.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._key = path, key
        self._recorded: dict[str, Recorded] = defaultdict(Recorded)
        try:
            self._file = path.open("ab", buffering=0)
            lock(self._file, path)
            length, last_key = self._read(key)
            self._file.truncate(length)
        except OSError as error:
            raise cannot_write(path, error) from error
        if last_key != key:
            self._write({"key": key})

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def frames(self, sources: Sequence[Path]) -> int:
        """Number of frames of the sources that were finished by earlier starts."""
        return sum(len(batch) for source in sources for batch in self.recorded(source).batches)

    def recorded(self, source: Path) -> Recorded:
        """What earlier starts finished of a source that has not changed since."""
        return self._recorded.get(_identity(source), Recorded())

    def append(self, source: Path, frames: Sequence[FrameResult]) -> None:
        """Keep a batch of finished frames.

        Raises:
            WriteError: the disk is full, or the like.
        """
        self._write({**_stamped(source), "frames": [_frame_to_json(frame) for frame in frames]})

    def end(self, source: Path, overlay: Path | None) -> None:
        """Say that a source is finished, and the overlay that was drawn of it.

        Raises:
            WriteError: the disk is full, or the like.
        """
        drawn = None if overlay is None else _stamped(overlay)
        self._write({**_stamped(source), "end": {"overlay": drawn}})

    def remove(self, sources: Sequence[Path]) -> None:
        """Delete what lies in the results now, and the file where nothing else is in it.

        Raises:
            WriteError: the disk is full, or the like.
        """
        names, current, kept, others = {s.as_posix() for s in sources}, None, [], False
        for line in self.path.read_bytes().splitlines(keepends=True):
            content = json.loads(line)
            current = content.get("key", current)
            if current != self._key or content.get("source", "") not in names:
                others = others or "source" in content
                kept.append(line)
        if others:
            write_bytes(self.path, b"".join(kept))
        else:
            self.path.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        left = memoryview(json.dumps(line).encode() + b"\n")
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def _read(self, key: str) -> tuple[int, str | None]:
        """Take what counts; return the length of the whole lines and the last key."""
        length, current = 0, None
        with self.path.open("rb") as file:
            for line in file:
                try:
                    content = json.loads(line) if line.endswith(b"\n") else None
                    if not isinstance(content, dict):
                        break
                    current = content.get("key", current)
                    if current == key and "key" not in content:
                        self._take(content)
                except (ValueError, KeyError, TypeError):
                    break
                length += len(line)
        return length, current

    def _take(self, content: dict[str, Any]) -> None:
        frames = tuple(_frame_from_json(frame) for frame in content.get("frames", ()))
        recorded = self._recorded[json.dumps([content["source"], content["stamp"]])]
        recorded.end = content.get("end", recorded.end)
        if frames:
            recorded.batches.append(frames)


def _stamped(source: Path) -> dict[str, Any]:
    """Path, size and time of change: another file under the same name is another source."""
    try:
        status = source.stat()
        stamp = [status.st_size, status.st_mtime_ns]
    except OSError:
        stamp = None
    return {"source": source.as_posix(), "stamp": stamp}


def _identity(source: Path) -> str:
    return json.dumps(list(_stamped(source).values()))


def _frame_to_json(frame: FrameResult) -> dict[str, Any]:
    return {f.name: _to_json(getattr(frame, f.name)) for f in fields(FrameResult)}


def _to_json(value: Any) -> Any:
    """Arrays as lists with null for NaN, records as objects without what is made later."""
    if isinstance(value, np.ndarray):
        return np.where(np.isfinite(value), value.astype(object), None).tolist()
    if isinstance(value, InfantPose | Adult):
        names = [f.name for f in fields(value) if f.name not in _LIFTED]
        return {name: _to_json(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _frame_from_json(content: dict[str, Any]) -> FrameResult:
    adults = content["adults"]
    return FrameResult(
        **{
            **_with_arrays(content),
            "infants": tuple(
                InfantPose.in_image(**_with_arrays(one)) for one in content["infants"]
            ),
            "adults": None if adults is None else tuple(Adult(**_with_arrays(a)) for a in adults),
            "notes": tuple(content["notes"]),
            "full_size": content["full_size"] and tuple(content["full_size"]),
        }
    )


def _with_arrays(content: dict[str, Any]) -> dict[str, Any]:
    """Lists of numbers as arrays again, null as NaN."""
    made = {
        name: np.array(content[name], dtype=np.float64)
        for name in _ARRAYS & content.keys()
        if content[name] is not None
    }
    if "suspected_xyxy" in made:
        made["suspected_xyxy"] = made["suspected_xyxy"].reshape(-1, 4)
    return {**content, **made}
