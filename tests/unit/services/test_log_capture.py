"""One place in two files: the engine's log and the job's own."""

from __future__ import annotations

import random

import pytest

from orchestrator.adapters.memory import MemoryWorkspace
from orchestrator.ports.container_runtime import LogBite, LogLine
from orchestrator.services.log_capture import LINES_MISSING, LogCapture
from tests.factories import make_attempt

LIMIT = 1024**2


def line(nanosecond, text):
    return LogLine(f"2026-01-01T00:00:00.{nanosecond:09d}Z", text)


class Printed:
    """An engine that holds the lines it is given, with the timestamps they are given."""

    def __init__(self):
        self.lines = []
        self.reads = 0

    def logs(self, _container_id, *, since, limit_bytes):
        self.reads += 1
        wanted = [line for line in self.lines if since is None or line.at >= since]
        return LogBite(tuple(wanted[:limit_bytes]), is_complete=len(wanted) <= limit_bytes)


@pytest.fixture
def printed():
    return Printed()


@pytest.fixture
def workspace():
    return MemoryWorkspace(log_limit_bytes=10_000)


@pytest.fixture
def capture(printed, workspace):
    log = LogCapture(runtime=printed, workspace=workspace)
    return lambda attempt, limit=LIMIT: log.take_bite(attempt, "container", limit_bytes=limit)[0]


def texts(workspace, attempt):
    return workspace.read_log(attempt.job_id, tail=10_000)


def test_two_lines_of_one_nanosecond_are_neither_lost_nor_doubled(printed, workspace, capture):
    attempt = make_attempt()
    printed.lines = [line(1, "one"), line(2, "two")]
    attempt = capture(attempt)
    printed.lines += [line(2, "three"), line(2, "four")]
    attempt = capture(attempt)
    printed.lines += [line(2, "five"), line(3, "six")]
    attempt = capture(capture(attempt))

    assert texts(workspace, attempt) == ("one", "two", "three", "four", "five", "six")


def test_lines_of_two_streams_in_another_order_than_their_timestamps_are_not_doubled(printed, workspace, capture):
    attempt = make_attempt()
    printed.lines = [line(6, "error"), line(5, "output")]
    attempt = capture(attempt)
    printed.lines += [line(7, "next")]
    attempt = capture(capture(attempt))

    assert texts(workspace, attempt) == ("error", "output", "next")


def test_lines_that_were_rotated_away_leave_a_mark(printed, workspace, capture):
    attempt = make_attempt()
    printed.lines = [line(1, "one"), line(2, "two")]
    attempt = capture(attempt)
    printed.lines = [line(5, "five"), line(6, "six")]
    attempt = capture(capture(attempt))

    assert texts(workspace, attempt) == ("one", "two", LINES_MISSING, "five", "six")


def test_a_log_that_is_full_is_no_longer_asked_for(printed, workspace, capture):
    attempt = make_attempt()
    printed.lines = [line(number, "x" * 1000) for number in range(20)]
    attempt = capture(attempt)
    assert "size limit" in texts(workspace, attempt)[-1]

    capture(attempt)
    assert printed.reads == 1


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_lost_between_the_two_files_every_line_is_there_once(printed, workspace, capture, seed):
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    attempt, now = make_attempt(), 1
    wanted = []
    for _ in range(60):
        for _ in range(chance.randrange(4)):
            now += chance.randrange(2)
            wanted.append(str(len(wanted)))
            printed.lines.append(line(now, wanted[-1]))
        captured = capture(attempt, chance.randrange(5, 9))
        if chance.random() < 0.5:  # otherwise killed before the place was stored
            attempt = captured
    for _ in range(len(wanted)):
        attempt = capture(attempt, 100)

    assert texts(workspace, attempt) == tuple(wanted)
