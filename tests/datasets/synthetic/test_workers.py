"""Jobs spread over processes: all results, and an early end that leaves no process behind."""

from __future__ import annotations

import multiprocessing
import time

import pytest

from Datasets.synthetic import workers
from Datasets.synthetic.workers import chunks, collect, spread


@pytest.fixture(autouse=True)
def no_bodies(monkeypatch):
    monkeypatch.setattr(workers, "_build_body_assets", lambda: None)


def test_every_result_has_its_number():
    assert dict(spread(divmod, [(n, 3) for n in range(5)], 1)) == {
        n: divmod(n, 3) for n in range(5)
    }
    assert dict(spread(divmod, [(n, 3) for n in range(5)], 2)) == {
        n: divmod(n, 3) for n in range(5)
    }
    assert collect(len, [(range(n),) for n in range(20)], 1) == list(range(20))


def test_jobs_count_as_many_as_their_range_is_long():
    assert chunks(7, 3) == [range(3), range(3, 6), range(6, 7)] and chunks(0, 3) == []
    told = []
    collect(len, [(chunk,) for chunk in chunks(7, 3)], 1, lambda *values: told.append(values))
    assert told == [(3, 7), (6, 7), (7, 7)]
    told.clear()
    collect(divmod, [(1, 1), (2, 1)], 1, lambda *values: told.append(values))
    assert told == [(1, 2), (2, 2)]


def test_an_early_end_waits_for_no_job():
    began, jobs = time.monotonic(), spread(time.sleep, [(0,), (300,), (300,), (300,)], 2)
    assert next(jobs) == (0, None)
    with pytest.raises(KeyboardInterrupt):
        jobs.throw(KeyboardInterrupt)
    assert time.monotonic() - began < 200 and multiprocessing.active_children() == []


def test_the_error_of_a_job_ends_the_others():
    began = time.monotonic()
    with pytest.raises(ValueError, match="non-negative"):
        list(spread(time.sleep, [(-1,), (300,), (300,)], 2))
    assert time.monotonic() - began < 200 and multiprocessing.active_children() == []
