"""Steps beside the passes: one a job, so many at once, and what they raise is raised where they are settled."""

from __future__ import annotations

import threading

import pytest

from orchestrator.adapters.thread_steps import ThreadSteps
from tests.waiting import eventually


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_job_is_busy_until_the_end_of_its_step_was_settled(gate):
    steps = ThreadSteps()
    steps.begin("job", lambda: gate.wait(10) and None)
    steps.settle()
    assert steps.is_busy("job")
    assert not steps.is_busy("another")

    gate.set()
    steps.wait(10)

    assert steps.is_busy("job"), "what was read of it before may be old"
    steps.settle()
    assert not steps.is_busy("job")


def test_what_a_step_raised_is_raised_once_and_holds_up_no_other(gate):
    def fail() -> None:
        raise RuntimeError("deposed")

    steps = ThreadSteps()
    steps.begin("failing", fail)
    steps.begin("waiting", lambda: gate.wait(10) and None)

    def settle() -> bool:
        steps.settle()
        return False

    with pytest.raises(RuntimeError, match="deposed"):
        eventually(settle)
    steps.settle()
    assert steps.is_busy("waiting")


def test_only_so_many_steps_go_on_at_once(gate):
    steps, begun = ThreadSteps(at_once=2), []

    def step(number: int) -> None:
        begun.append(number)
        gate.wait(10)

    for number in range(3):
        steps.begin(str(number), lambda number=number: step(number))
    eventually(lambda: len(begun) == 2)
    gate.set()
    steps.wait(10)
    assert sorted(begun) == [0, 1, 2]


def test_waiting_for_a_step_that_hangs_has_an_end(gate):
    steps = ThreadSteps()
    steps.begin("hanging", lambda: gate.wait(30) and None)

    steps.wait(0.01)

    assert steps.is_busy("hanging")
