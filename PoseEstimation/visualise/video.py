"""Write videos that every player opens: H.264, yuv420p, even sizes, true time stamps."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from Engine.files import cannot_write, replacing

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

CLOCK = Fraction(1, 90_000)
"""Time base in seconds, fine enough for every camera's frame times."""
NOMINAL_FPS = 30


class _Discarded(Exception):
    """Leaves the earlier file in its place."""


class VideoWriter:
    """Writes frames at their times; the file appears whole when the ``with`` block ends.

    Frames written before an error or an interruption are kept, unless an earlier file is there:
    the file is closed properly. Where the file itself cannot be written the earlier one stays.

    Args:
        path: an ``.mp4``; without any frame no file is made.
        quality: x264's constant rate factor, lower is better.
    """

    def __init__(self, path: Path, quality: int = 23) -> None:
        self.path = path
        self.quality = quality
        self._file = ExitStack()
        self._opened: tuple[OutputContainer, VideoStream] | None = None
        self._size = (0, 0)
        self._last = -1
        self._refusal: Exception | None = None

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, image: Image.Image, time_s: float) -> None:
        """Append a frame.

        Args:
            image: RGB; an odd side gets one black row or column; later frames of another size are
                scaled to fit into the first's, black around.
            time_s: not before the last frame's time.

        Raises:
            WriteError: the system refuses to write.
            Exception: the encoder refuses, this frame or one before, such as for its size.
        """
        import av

        if self._opened is None:
            self._opened = self._open(image.size)
        container, stream = self._opened
        if image.size != self._size:
            image = ImageOps.pad(image, self._size, Image.Resampling.BILINEAR)
        canvas = Image.new("RGB", (stream.width, stream.height))
        canvas.paste(image)
        frame = av.VideoFrame.from_image(canvas)
        self._last = max(self._last + 1, round(time_s / CLOCK))
        frame.pts, frame.time_base = self._last, CLOCK
        self._mux(container, stream, frame)

    def _mux(
        self, container: OutputContainer, stream: VideoStream, frame: VideoFrame | None
    ) -> None:
        """Encode a frame, or with None what is left; once this failed, libav would crash."""
        if self._refusal is None:
            try:
                container.mux(stream.encode(frame))
            except Exception as error:
                self._refusal = (
                    cannot_write(self.path, error) if isinstance(error, OSError) else error
                )
        if self._refusal is not None:
            raise self._refusal

    def _open(self, size: tuple[int, int]) -> tuple[OutputContainer, VideoStream]:
        """Start the file with the size of the first frame."""
        import av

        with ExitStack() as opening:
            temporary = opening.enter_context(replacing(self.path))
            container = av.open(str(temporary), "w", options={"movflags": "faststart"})
            opening.callback(container.close)
            stream = container.add_stream("libx264", rate=NOMINAL_FPS, time_base=CLOCK)
            stream.width, stream.height = (side + side % 2 for side in size)
            stream.pix_fmt = "yuv420p"
            stream.options = {"crf": str(self.quality), "preset": "veryfast"}
            self._file = opening.pop_all()
        self._size = size
        return container, stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(_Discarded), self._file:
            if self._opened is None:
                return
            if self._refusal is None:
                self._mux(*self._opened, None)
            if self._refusal is not None or (error is not None and self.path.exists()):
                raise _Discarded
