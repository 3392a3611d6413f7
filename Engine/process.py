"""What a command owes its surroundings: exit codes, one-line errors, streams, the signal to end."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from Engine.errors import DataError, WriteError, one_line

CLOSED = (errno.EPIPE, errno.EINVAL)
"""What the system says of a pipe that nobody reads any more; the second on Windows."""


def exit_code(program: str, run: Callable[[], int], debug: bool = False) -> int:
    """Run a command, say in one line on stderr what went wrong, and return its exit code.

    Args:
        program: what the line begins with.
        run: returns the exit code; it may raise SystemExit, too.
        debug: let errors pass, with their tracebacks.

    Returns:
        2 for input that cannot be used, 1 for any other failure and for a user who stops it.
    """
    with console(), stopped_by_term():
        try:
            code = run()
            sys.stdout.flush()
            return code
        except KeyboardInterrupt:
            message, code = "stopped; what was done until then is written", 1
        except Exception as error:
            if debug:
                raise
            message, code = str(error), 2 if isinstance(error, DataError) else 1
            if not isinstance(error, DataError | WriteError):
                reason = " ".join(f"{type(error).__name__}: {error}".split())
                message = f"{reason}; run again with --debug for the traceback"
        print(f"{program}: error: {one_line(message)}", file=sys.stderr)
        return code


@contextmanager
def console() -> Iterator[None]:
    """Let nothing that is printed end the work.

    Within the block, what is written to a closed stdout or stderr, or to a pipe whose reader has
    gone (``| head``), is dropped, and characters that the terminal's encoding lacks, such as bytes
    of a file name that are no text, are written as escapes. Streams that are not the process's own
    (those of a test, of a notebook) stay as they are.

    A disk that is full is an error at the write or the flush in the block, and dropped after it.
    """
    with ExitStack() as stack:
        for name in ("stdin", "stdout", "stderr"):
            if getattr(sys, name) is None:
                _open_nothing(name)
        for name in ("stdout", "stderr"):
            if getattr(sys, name) is getattr(sys, f"__{name}__"):
                stack.enter_context(_forgiving(name))
        yield


@contextmanager
def stopped_by_term() -> Iterator[None]:
    """Let SIGTERM do in the block what Ctrl-C does: raise ``KeyboardInterrupt`` in this process.

    Python delivers signals to the main thread alone; in another, nothing is changed. Processes that
    are forked in the block end at once, as without a handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


def _open_nothing(name: str) -> None:
    """Give the process a stream that was closed before it began.

    Without, the next file that is opened would take its number and whatever a library prints.
    """
    mode = "r" if name == "stdin" else "w"
    nothing = open(os.devnull, mode, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    setattr(sys, name, nothing)


@contextmanager
def _forgiving(name: str) -> Iterator[None]:
    """Replace a stream of ``sys`` by one on the same file that drops what nobody reads."""
    given: io.TextIOWrapper = getattr(sys, name)
    try:
        given.flush()
        raw = _Dropping(given.fileno(), "w", closefd=False)
    except (OSError, ValueError, AttributeError):
        yield
        return
    unbuffered = isinstance(getattr(given, "buffer", None), io.RawIOBase)
    stream = io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=given.encoding,
        errors="backslashreplace",
        line_buffering=given.line_buffering,
        write_through=given.write_through,
    )
    setattr(sys, name, stream)
    try:
        yield
    finally:
        setattr(sys, name, given)
        with suppress(OSError):
            stream.flush()


class _Dropping(io.FileIO):
    """A file that takes everything once its reader has gone or its disk is full."""

    lost = False

    def write(self, data) -> int:
        if self.lost:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self.lost = True
            if error.errno not in CLOSED:
                raise
            return memoryview(data).nbytes
