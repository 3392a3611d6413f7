"""Write videos that every player opens: H.264, yuv420p, even sizes, true time stamps."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from PIL import Image, ImageOps

CLOCK = Fraction(1, 90_000)
"""Time base in seconds, fine enough for every camera's frame times."""
NOMINAL_FPS = 30


class VideoWriter:
    """Writes frames at their times; the file appears whole when the ``with`` block ends.

    Frames written before an error or an interruption are kept: the file is closed properly.

    Args:
        path: an ``.mp4``; without any frame no file is made.
        quality: x264's constant rate factor, lower is better.
    """

    def __init__(self, path: Path, quality: int = 23) -> None:
        self.path = path
        self.quality = quality
        self._temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
        self._container = None
        self._stream = None
        self._size = (0, 0)
        self._last = -1

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, image: Image.Image, time_s: float) -> None:
        """Append a frame.

        Args:
            image: RGB; an odd side gets one black row or column; later frames of another size are
                scaled to fit into the first's, black around.
            time_s: not before the last frame's time.
        """
        import av

        if self._container is None:
            self._open(image.size)
        if image.size != self._size:
            image = ImageOps.pad(image, self._size, Image.Resampling.BILINEAR)
        canvas = Image.new("RGB", (self._stream.width, self._stream.height))
        canvas.paste(image)
        frame = av.VideoFrame.from_image(canvas)
        self._last = max(self._last + 1, round(time_s / CLOCK))
        frame.pts, frame.time_base = self._last, CLOCK
        self._container.mux(self._stream.encode(frame))

    def _open(self, size: tuple[int, int]) -> None:
        """Start the file with the size of the first frame."""
        import av

        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._size = size
        self._container = av.open(str(self._temporary), "w", options={"movflags": "faststart"})
        stream = self._container.add_stream("libx264", rate=NOMINAL_FPS, time_base=CLOCK)
        stream.width, stream.height = (side + side % 2 for side in size)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(self.quality), "preset": "veryfast"}
        self._stream = stream

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._container is None:
            return
        try:
            self._container.mux(self._stream.encode())
            self._container.close()
            os.replace(self._temporary, self.path)
        finally:
            self._temporary.unlink(missing_ok=True)
