"""The stream of a video file that a player would show, and its frames in order of presentation.

Both ways of reading videos stand on this: frame after frame (``video.py``) and by number
(``frames.py``).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from Datasets.readers.video_picture import MAX_PIXELS, shown_picture
from Engine.errors import DataError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AvStream

REORDERED = 16
"""Frames that a decoder may reorder at most."""
RATES = (0.001, 500.0)
"""Frames per second that are believed; beyond, files state their clock's rate, or nonsense."""
NOMINAL_RATE = 30.0
MAX_READ_FAULTS = 100
"""Damaged places of a file behind which reading goes on."""
COUNTED_BYTES = 256 * 2**20
"""A file without an index is read through for the number of its frames up to this size."""


@dataclass
class PacketRecord:
    """What is known of a packet when its frame leaves the decoder, later and in another order.

    Attributes:
        recording: 0, or higher behind a place where the time stamps start anew.
        stamp: presentation time in the stream's time base.
        pixel_ratio: width of a pixel by its height, as coded; None when the codec does not say.
        suspect: the container says that data are missing around here.
    """

    recording: int
    stamp: int
    pixel_ratio: Fraction | None = None
    suspect: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Sorts packets in order of presentation."""
        return self.recording, self.stamp


@dataclass(frozen=True)
class DecodedFrame:
    """A frame, or the place of a damaged one.

    Attributes:
        frame: None when damaged.
        stamp: its time in the stream's time base, or None.
        packet: where it came from.
    """

    frame: VideoFrame | None
    stamp: int | None
    packet: PacketRecord


class VideoStream:
    """One open video; use it in a ``with`` block.

    The stream is the one that a player would show: cover pictures and thumbnails are passed over,
    the default track goes first, then the largest.

    Args:
        path: the file.

    Attributes:
        path: the file.
        container, stream: PyAV's.
        broken: packets were lost at a damaged place.

    Raises:
        DataError: the file cannot be opened, is no video or holds no picture that can be decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.container = _open(path)
        self.stream: AvStream = _shown_stream(self.container, path)
        self.broken = False
        codec = self.stream.codec_context
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        codec.copy_opaque = True
        # A ratio that only the container states holds for all frames, as in players.
        stated = self.stream.sample_aspect_ratio
        self._own_ratio = stated if stated != codec.sample_aspect_ratio else None
        # AVI stores no presentation times: frames have the times at which they leave the decoder.
        self._undated = self.container.format.name == "avi"
        self._transport = self.container.format.name == "mpegts"
        self._recordings = _Recordings()

    def __enter__(self) -> VideoStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    @property
    def rate(self) -> float:
        """Frames per second on average, as the file states them; 30 when it states nonsense."""
        for rate in (self.stream.average_rate, self.stream.guessed_rate):
            if rate is not None and RATES[0] <= rate <= RATES[1]:
                return float(rate)
        return NOMINAL_RATE

    @property
    def time_base(self) -> Fraction:
        """Seconds of one unit of time stamps."""
        return Fraction(self.stream.time_base or 1)

    def places(self) -> list[tuple[int, int]]:
        """Recording and time stamp of every frame in order, read without decoding, from here on.

        Of a damaged file, those of the packets that can be read.
        """
        shown = (p for p in self._packets() if p.size and not p.is_discard)
        return sorted(self._record(packet, -1).place for packet in shown)

    def count(self) -> int | None:
        """Number of frames from here on; None when only reading a large file could tell."""
        size = max(0, self.container.size)
        stated = self.stream.frames
        if 0 < stated <= size:
            # A phone's trimmed video states the frames that it hides, too.
            shown = sum(not entry.is_discard for entry in self.stream.index_entries)
            return shown if 0 < shown < stated else stated
        return len(self.places()) if size <= COUNTED_BYTES else None

    def frames(self) -> Iterator[DecodedFrame]:
        """Decode from here on, in order of presentation, damaged frames in their places.

        No fault of the file raises: what cannot be read is reported as damaged or missing.
        """
        lost: list[PacketRecord] = []
        for record, decoded in self._decoded():
            if decoded is None:
                lost.append(record)
                continue
            for frame in decoded:
                own = frame.opaque if isinstance(frame.opaque, PacketRecord) else record
                stamp = frame.dts if self._undated else frame.pts
                # Frames leave the decoder later than their packets enter it: damage waits.
                place = own.recording, math.inf if stamp is None else stamp
                yield from _as_damaged([p for p in lost if p.place < place])
                lost = [p for p in lost if p.place >= place]
                damaged = frame.is_corrupt and not self._transport
                yield DecodedFrame(None if damaged else frame, stamp, own)
        yield from _as_damaged(lost)

    def picture(self, decoded: DecodedFrame, number: int) -> tuple[Image.Image, tuple[str, ...]]:
        """Convert a frame to what a player shows of it, see ``shown_picture``.

        Args:
            decoded: the frame.
            number: its place in the video, for the message.

        Raises:
            DataError: the frame is damaged or too large.
        """
        where = f"video: {self.path}, frame {number}"
        if decoded.frame is None:
            raise DataError(f"{where} is damaged; copy the file again")
        ratio = self._own_ratio or decoded.packet.pixel_ratio
        try:
            image, notes = shown_picture(decoded.frame, ratio)
        except DataError as error:
            raise DataError(f"{where} {error}") from None
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{where} is damaged ({reason}); copy the file again") from None
        if decoded.packet.suspect:
            notes = (*notes, "data are missing around this frame; it may be damaged")
        return image, notes

    def _decoded(self) -> Iterator[tuple[PacketRecord, list[VideoFrame] | None]]:
        """Give each packet and the frames that it completes, None when it is damaged."""
        codec, last = self.stream.codec_context, PacketRecord(0, 0)
        for packet in self._packets():
            end = not packet.size
            if end and packet.dts is not None:
                continue  # an empty place in the file, which a decoder would take for its end
            record = last if end else self._record(packet, last.stamp)
            last, packet.opaque = record, record
            frames = None
            try:
                if not packet.is_corrupt or self._transport:
                    frames = codec.decode(packet)
            except Exception:
                self.broken |= end
            record.pixel_ratio = codec.sample_aspect_ratio
            if frames is not None or not (end or packet.is_discard):
                yield record, frames

    def _record(self, packet: Packet, otherwise: int) -> PacketRecord:
        """Note what identifies a packet."""
        stamps = (packet.dts, packet.pts) if self._undated else (packet.pts, packet.dts)
        stamp = next((s for s in stamps if s is not None), otherwise)
        recording = self._recordings.number(packet)
        return PacketRecord(recording, stamp, suspect=packet.is_corrupt)

    def _packets(self) -> Iterator[Packet]:
        """Read packets; goes on behind damaged places, so far as the container finds its way."""
        from av.packet import Packet

        for _ in range(MAX_READ_FAULTS):
            try:
                yield from self.container.demux(self.stream)
                return
            except Exception:
                self.broken = True
        yield Packet()


class _Recordings:
    """Counts the recordings of a file whose time stamps start anew, as of several joined ones.

    In the order of the file a key frame's stamp is later than all before it, and another frame's
    earlier than those of at most ``REORDERED`` frames.
    """

    def __init__(self) -> None:
        self._latest: list[int] = []
        self._number = 0

    def number(self, packet: Packet) -> int:
        """Recording of the next packet in the file."""
        stamp, latest = packet.pts, self._latest
        if stamp is None:
            return self._number
        if packet.is_keyframe:
            anew = stamp < max(latest, default=stamp)
        else:
            anew = len(latest) > REORDERED and stamp < latest[0]
        if anew:
            self._number += 1
            latest.clear()
        heapq.heappush(latest, stamp)
        if len(latest) > REORDERED + 1:
            heapq.heappop(latest)
        return self._number


def _as_damaged(packets: list[PacketRecord]) -> Iterator[DecodedFrame]:
    for packet in sorted(packets, key=lambda p: p.place):
        yield DecodedFrame(None, packet.stamp, packet)


def _open(path: Path) -> InputContainer:
    """Open a file, whatever its name and its metadata look like."""
    import av

    try:
        return av.open(f"file:{path}", metadata_errors="replace")
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise DataError(f"video: {path} cannot be opened ({error.strerror}); check it") from None
    except Exception:
        why = "is no video, or lacks its index because it was cut; copy it again"
        raise DataError(f"video: {path} {why}") from None


def _shown_stream(container: InputContainer, path: Path) -> AvStream:
    """Choose as players do: the default track first, never a cover picture, then the largest."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    moving = [s for s in container.streams.video if not s.disposition & still]
    if not moving:
        raise DataError(f"video: {path} holds no picture, only sound; choose another file")
    areas = {s: s.codec_context.width * s.codec_context.height for s in moving if s.codec_context}
    if not areas:
        raise DataError(f"video: {path} has an unknown coding; convert it to H.264")
    shown = max(areas, key=lambda s: (bool(s.disposition & Disposition.default), areas[s]))
    if areas[shown] > MAX_PIXELS:
        limit = MAX_PIXELS // 1_000_000
        raise DataError(f"video: {path} has more than {limit} megapixels a frame; reduce it first")
    return shown
