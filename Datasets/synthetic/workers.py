"""Spread jobs over processes; the results do not depend on how many there are."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any

CHUNK = 8
"""Numbers per job of ``collect``."""


def spread(
    function: Callable[..., Any], jobs: Sequence[tuple], workers: int
) -> Iterator[tuple[int, Any]]:
    """Yield (number of the job, its result), in the order in which they are finished.

    Args:
        function: a function of a module, called with one job's items.
        jobs: the arguments, one tuple per call.
        workers: processes; 1 stays in this one. Whoever stops early ends them.
    """
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


def collect(
    function: Callable[..., list],
    shared: tuple,
    count: int,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> list:
    """Make numbered things, a few per job; the results do not depend on how many.

    Args:
        function: called with ``shared`` and a range of numbers; returns a list.
        shared: the same for all.
        count: numbers go from 0 to below this.
        workers: processes.
        progress: called with (numbers done, count).

    Returns:
        All lists joined in the order of the numbers.
    """
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    found, done = {}, 0
    for job, made in spread(function, [(*shared, chunk) for chunk in chunks], workers):
        found[job] = made
        done += len(chunks[job])
        if progress is not None:
            progress(done, count)
    return [item for job in sorted(found) for item in found[job]]


def _build_body_assets() -> None:
    """Let one process build anny's files: several at once would read each other's halves."""
    try:
        from anny.paths import get_anny_cache_path
    except ImportError:
        return
    if not any(get_anny_cache_path().glob("*/*")):
        from Datasets.synthetic.people.body import rig

        rig()
