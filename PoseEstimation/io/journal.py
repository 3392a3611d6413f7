"""The journal of an unfinished prediction: frames that are finished stay finished.

``poses.unfinished.jsonl`` holds what the networks found in the image, one line per batch of frames,
written as soon as the batch is done. A prediction that was stopped, killed or that ran out of disk
goes on from it when the same command is started again; ``poses.json`` is made from it at the end,
and then the journal is removed.

Lines: ``{"key": ...}`` says which weights, settings, camera and overlays the lines after it belong
to; lines under another key do not count and stay, as do those of sources that are not asked for.
``{"source": path, "stamp": [size, mtime], "frames": [...]}`` is a batch, which a later line with
the same first frame replaces; ``{"source": path, "stamp": ..., "end": {"overlay": ...}}`` says that
the source is finished, and its overlay, which is known by its stamp: another command may have drawn
another one since. Numbers have all their digits, so that a prediction that was interrupted ends
with the same bytes as one that was not. A last line that was cut is dropped. Frames stay on disk:
the journal keeps the places of its lines in memory, and reads a batch when it is asked for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from Datasets.structures import Frame
from Engine.files import cannot_write, lock, write_bytes
from PoseEstimation.io.frame_json import frame_from_json, frame_to_json
from PoseEstimation.result import FrameResult

FILE_NAME = "poses.unfinished.jsonl"


@dataclass
class _Recorded:
    """What the journal holds of one source.

    Attributes:
        batches: place of a line in the file and its frames' errors, by its first frame's index.
        end: what the line at the end of the source says; None when it is not finished.
    """

    batches: dict[int, tuple[int, tuple[str | None, ...]]] = field(default_factory=dict)
    end: dict[str, Any] | None = None

    @property
    def frames(self) -> int:
        return sum(len(errors) for _, errors in self.batches.values())


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
        self._recorded: dict[str, _Recorded] = defaultdict(_Recorded)
        try:
            self._file = path.open("ab", buffering=0)
            lock(self._file, path)
            self._length, last_key = self._read(key)
            self._file.truncate(self._length)
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

    def frame_counts(self, sources: Sequence[Path]) -> dict[str, int]:
        """Finished frames of each source, by its path in POSIX form."""
        return {s.as_posix(): self._of(s).frames + self._failed_end(s) for s in sources}

    def ended(self, source: Path, overlay: Path | None) -> bool:
        """Whether a source is finished, and this is the overlay that was drawn of it."""
        end = self._of(source).end
        if end is None or overlay is None:
            return end is not None
        return end["overlay"] is not None and end["overlay"] == _stamped(overlay)

    def batch(self, source: Path, frames: Sequence[Frame]) -> list[FrameResult]:
        """Finished results of these frames of a source that has not changed since; or none."""
        place = self._of(source).batches.get(frames[0].index)
        results = [] if place is None else self._load(place[0])
        alike = [r.index for r in results] == [f.index for f in frames]
        return results if alike else []

    def replay(self, sources: Sequence[Path]) -> Iterator[FrameResult]:
        """All finished frames of the sources, in order."""
        for source in sources:
            recorded, last = self._of(source), None
            for _, (place, _) in sorted(recorded.batches.items()):
                for last in self._load(place):
                    yield last
            if self._failed_end(source):
                index, time_s = (last.index + 1, last.time_s) if last else (0, 0.0)
                why = (recorded.end or {})["error"]
                yield FrameResult(source.as_posix(), index, time_s, None, None, error=why)

    def append(self, source: Path, frames: Sequence[FrameResult]) -> None:
        """Keep a batch of finished frames, unless the journal has it with the same errors.

        Raises:
            WriteError: the disk is full, or the like.
        """
        batches, first = self._of(source).batches, frames[0].index
        errors = tuple(frame.error for frame in frames)
        if first in batches and batches[first][1] == errors:
            return
        place = self._length
        self._write({**_stamped(source), "frames": [frame_to_json(frame) for frame in frames]})
        batches[first] = place, errors

    def end(self, source: Path, overlay: Path | None, error: str | None = None) -> None:
        """Say that a source is finished, the overlay that was drawn of it, and what failed.

        Raises:
            WriteError: the disk is full, or the like.
        """
        end = {"overlay": None if overlay is None else _stamped(overlay), "error": error}
        self._write({**_stamped(source), "end": end})
        self._of(source).end = end

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

    def _of(self, source: Path) -> _Recorded:
        return self._recorded[json.dumps(list(_stamped(source).values()))]

    def _failed_end(self, source: Path) -> bool:
        return bool((self._of(source).end or {}).get("error"))

    def _load(self, place: int) -> list[FrameResult]:
        with self.path.open("rb") as file:
            file.seek(place)
            return [frame_from_json(frame) for frame in json.loads(file.readline())["frames"]]

    def _write(self, line: dict[str, Any]) -> None:
        left = memoryview(json.dumps(line).encode() + b"\n")
        try:
            while left:
                written = self._file.write(left)
                self._length += written
                left = left[written:]
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
                        self._take(content, length)
                except (ValueError, KeyError, TypeError):
                    break
                length += len(line)
        return length, current

    def _take(self, content: dict[str, Any], place: int) -> None:
        """Note where a line lies, once its frames are known to be whole."""
        frames = [frame_from_json(frame) for frame in content.get("frames", ())]
        recorded = self._recorded[json.dumps([content["source"], content["stamp"]])]
        recorded.end = content.get("end", recorded.end)
        if frames:
            recorded.batches[frames[0].index] = place, tuple(frame.error for frame in frames)


def _stamped(source: Path) -> dict[str, Any]:
    """Path, size and time of change: another file under the same name is another source."""
    try:
        status = source.stat()
        stamp = [status.st_size, status.st_mtime_ns]
    except OSError:
        stamp = None
    return {"source": source.as_posix(), "stamp": stamp}
