"""How often the store is asked for completed jobs."""

from __future__ import annotations

from orchestrator.adapters.memory import ManualClock
from orchestrator.services.recent_runs import RecentRuns
from tests.factories import make_run


class CountingStore:
    def __init__(self, *runs):
        self.runs, self.asked = list(runs), 0

    def recent_runs(self, limit):
        self.asked += 1
        return self.runs[:limit]


def test_what_was_read_holds_for_ten_seconds():
    store, clock = CountingStore(make_run()), ManualClock()
    recent = RecentRuns(jobs=store, clock=clock)

    assert list(recent.read()) == store.runs
    store.runs.append(make_run("another/model"))
    clock.advance(9)
    assert len(recent.read()) == 1
    clock.advance(1)
    assert len(recent.read()) == 2
    assert store.asked == 2


def test_the_first_completed_job_counts_at_once():
    store, clock = CountingStore(), ManualClock()
    recent = RecentRuns(jobs=store, clock=clock)

    assert list(recent.read()) == []
    store.runs.append(make_run())
    assert len(recent.read()) == 1
