"""What containers can print, and what an engine can do to its clients."""

from __future__ import annotations

import threading
import time

import pytest

from orchestrator.domain.container import ContainerState
from orchestrator.domain.errors import RuntimeUnavailable
from tests.factories import make_limits
from tests.waiting import eventually

pytestmark = pytest.mark.docker

LIMIT = 1024**2


@pytest.fixture
def printed(runtime, make_spec):
    """`printed(program)`: the log lines of a container that ran this Python program."""

    def run(program, limit_bytes=LIMIT):
        container = runtime.create(make_spec(command=("python", "-c", program)))
        runtime.start(container.id)
        eventually(lambda: runtime.inspect(container.id).state is ContainerState.EXITED, what="the exit")
        return [line.text for line in runtime.logs(container.id, since=None, limit_bytes=limit_bytes).lines]

    return run


def test_control_characters_colours_and_overprints_do_not_reach_the_log(printed):
    program = r"import os; os.write(1, b'a\0b \xff \x1b[31mred\x1b[0m\ttab\n10%\r20%\r\n')"

    assert printed(program) == ["ab \ufffd red\ttab", "20%"]


def test_a_line_longer_than_a_frame_is_cut_with_a_mark(printed):
    lines = printed("print('x' * 100_000); print('next')")

    assert lines[0].startswith("xxx")
    assert lines[0].endswith("[line cut]")
    assert len(lines[0]) < 20_000
    assert lines[1:] == ["next"]


def test_a_line_longer_than_a_bite_does_not_hide_the_next(printed):
    assert [line[-10:] for line in printed("print('x' * 5_000_000); print('next')")] == ["[line cut]", "next"]


def test_a_progress_bar_that_never_ends_its_line_is_one_line(printed):
    lines = printed(r"import os; os.write(1, b'\r 10 %' * 500_000 + b'\n'); print('next')")

    assert len(lines) == 2
    assert lines[0].endswith("[line cut]")
    assert len(lines[0]) < 20_000
    assert lines[1] == "next"


def test_a_line_that_looks_like_an_event_of_a_stream_stays_lines(printed):
    assert printed(r"print('data: x\n\nevent: done')") == ["data: x", "", "event: done"]


def test_a_last_line_without_an_end_is_kept(printed):
    assert printed("import sys; sys.stdout.write('no end')") == ["no end"]


def test_both_streams_are_read_in_order(printed):
    program = "import os, time\nfor n in range(4): os.write(1 + n % 2, b'%d\\n' % n); time.sleep(0.01)"

    assert printed(program) == ["0", "1", "2", "3"]


def test_reading_a_flood_stops_at_the_limit(printed):
    lines = printed("for n in range(20_000): print('all work and no play', n)", limit_bytes=10_000)

    assert 0 < sum(map(len, lines)) < 10_000


def test_a_flood_that_goes_on_takes_seconds_of_a_pass_at_most(runtime, make_spec):
    program = "while True: print('all work and no play ' * 5)"
    limits = make_limits(log_max_bytes=50 * LIMIT)
    container = runtime.create(make_spec(command=("python", "-c", program), limits=limits))
    runtime.start(container.id)
    eventually(lambda: not _bite(runtime, container, 20 * LIMIT).is_complete, what="a flood")

    began = time.monotonic()
    bite = _bite(runtime, container, 1024**3)

    assert bite.lines
    assert time.monotonic() - began < 3


def _bite(runtime, container, limit_bytes):
    return runtime.logs(container.id, since=None, limit_bytes=limit_bytes)


def test_the_log_of_a_running_container_ends_where_it_stands(runtime, make_spec):
    container = runtime.create(make_spec(prints=("ready",)))
    runtime.start(container.id)

    eventually(lambda: runtime.logs(container.id, since=None, limit_bytes=LIMIT).lines, what="the first line")

    assert runtime.inspect(container.id).state is ContainerState.RUNNING


def test_an_engine_that_was_down_at_the_start_is_found_when_it_comes(connect, engine, tmp_path):
    socket = tmp_path / "late.sock"
    runtime = connect(base_url=f"unix://{socket}")
    with pytest.raises(RuntimeUnavailable):
        runtime.facts()

    socket.symlink_to(engine.base_url.removeprefix("unix://"))

    assert runtime.facts().engine_id == connect().facts().engine_id


def test_one_runtime_serves_many_threads(runtime):
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(runtime.snapshot().engine_id)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 16
    assert len(set(answers)) == 1
