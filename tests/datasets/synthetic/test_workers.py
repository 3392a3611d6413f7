"""Jobs spread over processes: all results, and an early end that leaves no process behind."""

from __future__ import annotations

import multiprocessing
import time

import pytest

from Datasets.synthetic import workers
from Datasets.synthetic.workers import collect, spread


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
    assert collect(sorted, (), 20, 1) == list(range(20))


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
