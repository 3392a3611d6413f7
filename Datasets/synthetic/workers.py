"""Spread jobs over processes; the results do not depend on how many there are."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from multiprocessing import get_context
from typing import Any

CHUNK = 8
"""Numbers per job of ``chunks``."""

Progress = Callable[[int, int], None]
"""Called with (numbers done, numbers in all)."""


def chunks(count: int, size: int | None = None) -> list[range]:
    """Divide the numbers from 0 to below ``count`` into ranges of ``size``, or ``CHUNK``."""
    size = size or CHUNK
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def collect(
    function: Callable[..., Any],
    jobs: Sequence[tuple],
    workers: int,
    progress: Progress | None = None,
) -> list[Any]:
    """Return the results of ``spread`` in the order of the jobs."""
    found = dict(spread(function, jobs, workers, progress))
    return [found[number] for number in range(len(jobs))]


def spread(
    function: Callable[..., Any],
    jobs: Sequence[tuple],
    workers: int,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the job, its result), in the order in which they are finished.

    Args:
        function: a function of a module, called with one job's items.
        jobs: the arguments, one tuple per call. A job whose last item is a range counts as many
            for ``progress`` as the range is long, any other counts one.
        workers: processes; 1 stays in this one. Closing the iterator early ends them.
        progress: called after every job.
    """
    sizes = [len(job[-1]) if isinstance(job[-1], range) else 1 for job in jobs]
    done = 0
    with closing(_run(function, jobs, workers)) as results:
        for number, result in results:
            yield number, result
            done += sizes[number]
            if progress is not None:
                progress(done, sum(sizes))


def _run(
    function: Callable[..., Any], jobs: Sequence[tuple], workers: int
) -> Generator[tuple[int, Any]]:
    if workers <= 1:
        yield from ((number, function(*job)) for number, job in enumerate(jobs))
        return
    _build_body_assets()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_ignore_interrupt)
    try:
        futures = {pool.submit(function, *job): number for number, job in enumerate(jobs)}
        yield from ((futures[future], future.result()) for future in as_completed(futures))
    except BaseException:
        # Python 3.14 has terminate_workers() for this
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the one that gives the jobs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _build_body_assets() -> None:
    """Let one process build anny's files: several at once would read each other's halves."""
    try:
        from anny.paths import get_anny_cache_path
    except ImportError:
        return
    if not any(get_anny_cache_path().glob("*/*")):
        from Datasets.synthetic.people.body import rig

        rig()
