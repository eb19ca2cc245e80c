"""The event stream as a hint: it wakes, it comes back after any loss, and it never keeps a process from ending."""

from __future__ import annotations

import threading
import time

import pytest

from orchestrator.adapters.docker.event_stream import EngineEvents
from tests.faults.engine_proxy import EngineProxy
from tests.waiting import eventually

pytestmark = pytest.mark.docker


class CountedWakeUp:
    def __init__(self):
        self.count = 0

    def notify(self):
        self.count += 1

    def wait(self, timeout_seconds):
        """Nobody waits here."""


@pytest.fixture
def proxy(engine, tmp_path):
    proxy = EngineProxy(tmp_path / "proxy.sock", engine.base_url.removeprefix("unix://"))
    yield proxy
    proxy.close()


@pytest.fixture
def wake_up():
    return CountedWakeUp()


@pytest.fixture
def follow(engine, wake_up):
    """`follow(base_url, silence_seconds)`: the events of this test's containers, to be entered."""

    def followed(base_url=engine.base_url, silence_seconds=60.0):
        return EngineEvents(
            base_url=base_url, instance=engine.instance, wake_up=wake_up, silence_seconds=silence_seconds
        )

    return followed


def connected(wake_up, since=0):
    """Wait for a connection made after `since` wake-ups; how many there are now."""
    eventually(lambda: wake_up.count > since, what="the connection's own wake-up")
    return wake_up.count


def run_to_end(runtime, spec):
    runtime.start(runtime.create(spec).id)


def test_the_end_of_our_container_wakes_and_that_of_a_foreign_one_does_not(connect, make_spec, wake_up, follow):
    foreign = connect("-other")
    with follow():
        before = connected(wake_up)
        run_to_end(foreign, make_spec(exits=0))
        eventually(lambda: foreign.snapshot().containers[0].state == "exited", what="the foreign end")
        foreign.remove(foreign.snapshot().containers[0].id)
        run_to_end(connect(), make_spec(exits=0))

        assert eventually(lambda: wake_up.count - before, what="the event") == 1


def test_a_container_removed_behind_our_back_wakes(runtime, make_spec, wake_up, follow):
    container = runtime.create(make_spec())
    runtime.start(container.id)
    with follow():
        before = connected(wake_up)
        runtime.remove(container.id)

        eventually(lambda: wake_up.count > before, what="the event")


def test_a_stream_that_is_cut_comes_back_and_says_that_something_may_have_been_missed(
    runtime, make_spec, wake_up, follow, proxy
):
    with follow(proxy.url):
        before = connected(wake_up)
        proxy.cut_connections()
        before = connected(wake_up, since=before)
        run_to_end(runtime, make_spec(exits=0))

        eventually(lambda: wake_up.count > before, what="the event on the new connection")


def test_a_connection_that_died_without_a_word_is_made_anew_after_its_silence(wake_up, follow, proxy):
    with follow(proxy.url, silence_seconds=0.2):
        connected(wake_up, since=connected(wake_up))


def test_an_engine_that_is_not_there_yet_is_followed_when_it_comes(engine, tmp_path, wake_up, follow):
    socket = tmp_path / "late.sock"
    with follow(f"unix://{socket}"):
        socket.symlink_to(engine.base_url.removeprefix("unix://"))

        connected(wake_up)


def test_it_ends_within_a_second_and_leaves_no_thread(wake_up, follow):
    before = set(threading.enumerate())
    with follow():
        connected(wake_up)
        began = time.monotonic()

    assert time.monotonic() - began < 1.0
    assert set(threading.enumerate()) <= before


def test_an_engine_that_hangs_does_not_hold_it_longer_than_that(follow, proxy):
    proxy.hang()
    with follow(proxy.url):
        began = time.monotonic()

    assert time.monotonic() - began < 1.5
