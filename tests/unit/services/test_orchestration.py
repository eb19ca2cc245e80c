"""One process's half of orchestrating: standby, leading, deposed, and a store that goes away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from orchestrator.adapters.memory import InlineSteps, ManualClock, MemoryLeadership, Seat
from orchestrator.adapters.prometheus import PrometheusMeter
from orchestrator.adapters.wake_up import ThreadWakeUp
from orchestrator.domain.errors import Deposed, LorryError, PortError, StoreUnavailable
from orchestrator.services.orchestration import SHORTEST_TURN_SECONDS, STORE_BACK_OFF, Orchestration
from tests.waiting import eventually


class Passes:
    """Counts the passes it is asked for; the first ones end with `errors`."""

    def __init__(self, errors: Iterable[LorryError] = ()) -> None:
        self.count = 0
        self._errors = iter(errors)

    def run_once(self, is_stopping) -> None:
        assert not is_stopping()
        self.count += 1
        for error in self._errors:
            raise error


class Models:
    """Built-in models that cannot be built, which is no reason not to orchestrate."""

    def prepare(self) -> None:
        raise PortError("no engine")


@pytest.fixture
def seat():
    return Seat()


class Crowd(ThreadWakeUp):
    """Somebody always calls."""

    def wait(self, timeout_seconds: float) -> bool:
        return True


@contextmanager
def running(
    leadership: MemoryLeadership, passes: Passes, wake_up: ThreadWakeUp | None = None
) -> Iterator[threading.Thread]:
    orchestration = Orchestration(
        leadership=leadership,
        reconciler=passes,
        builtin_models=Models(),
        wake_up=wake_up or ThreadWakeUp(),
        steps=InlineSteps(),
        poll_seconds=0.01,
        meter=PrometheusMeter(),
    )
    stop = threading.Event()
    thread = threading.Thread(target=orchestration.run, args=(stop,))
    thread.start()
    yield thread
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def process(seat, number):
    return MemoryLeadership(seat, ManualClock(), holder=f"host (pid {number})")


def test_passes_follow_each_other_until_the_stop_and_then_another_may_lead(seat):
    passes = Passes()
    with running(process(seat, 1), passes):
        eventually(lambda: passes.count > 3)

    assert seat.taken_by is None


def test_however_many_call_a_pass_is_followed_by_a_pause_and_the_first_call_by_none(seat):
    passes, began_at = Passes(), time.monotonic()
    with running(process(seat, 1), passes, Crowd()):
        eventually(lambda: passes.count >= 4)
        passed = time.monotonic() - began_at

    assert passed >= 2 * SHORTEST_TURN_SECONDS


def test_a_standby_says_once_who_leads_and_makes_no_pass(seat):
    leader, passes = process(seat, 1), Passes()
    leader.acquire()

    with capture_logs() as logs, running(process(seat, 2), passes):
        said = eventually(lambda: [line for line in logs if line["event"].startswith("standby")])

    assert [line["leader"] for line in said] == ["host (pid 1) since 2026-01-01T00:00:00+00:00"]
    assert passes.count == 0
    leader.confirm()


def test_a_standby_takes_over_when_the_leader_is_gone(seat):
    leader, passes = process(seat, 1), Passes()
    leader.acquire()

    with running(process(seat, 2), passes):
        assert passes.count == 0
        leader.release()
        eventually(lambda: passes.count)
        assert seat.latest.holder == "host (pid 2)"


def test_a_deposed_orchestrator_makes_no_pass_before_it_leads_again(seat):
    passes = Passes([Deposed("Term 1 of this orchestrator is over.")])

    with running(process(seat, 1), passes):
        eventually(lambda: passes.count > 1)

    assert seat.latest.number == 2


def test_an_orchestrator_whose_seat_was_taken_makes_no_further_pass(seat):
    passes, rival = Passes(), process(seat, 2)
    with capture_logs() as logs, running(process(seat, 1), passes):
        eventually(lambda: passes.count)
        seat.taken_by = rival
        eventually(lambda: [line for line in logs if line["event"].startswith("standby")])
        made = passes.count
    assert passes.count == made


def test_a_store_that_is_away_for_some_passes_costs_neither_the_process_nor_its_term(seat):
    passes = Passes([StoreUnavailable("away")] * 2)

    with capture_logs() as logs, running(process(seat, 1), passes):
        eventually(lambda: passes.count > 3)

    assert [line["log_level"] for line in logs if line["event"] == "store unavailable"] == ["warning"] * 2
    assert seat.latest.number == 1


@pytest.mark.parametrize(
    ("failures", "jitter", "seconds"),
    [(0, 0, 0.5), (1, 0, 1.0), (2, 0, 2.0), (0, 1, 0.25), (9, 0, 5.0), (10**6, 0.5, 3.75)],
)
def test_a_store_that_stays_away_is_asked_ever_more_rarely(failures, jitter, seconds):
    assert STORE_BACK_OFF.spread_seconds(failures, jitter) == seconds
