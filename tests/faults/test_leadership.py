"""Two orchestrators on one store (row 18 of the fault plan): one leads, the other stands by and takes over at once."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.waiting import eventually

LEADS = re.compile(r'"orchestrating"')
STANDS_BY = re.compile(r".*standby: .*")
END_LEADING_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
TAKEOVER_SECONDS = 15.0  # a standby asks every second; the rest is for a busy machine


class Store:
    """One of each dialect, and what takes the leader's lock away without the leader's knowledge."""

    def __init__(self, url, take_lock_away):
        self.url = url
        self.take_lock_away = take_lock_away


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    if request.param == "sqlite":
        path = tmp_path / "lorry.db"
        return Store(f"sqlite:///{path}", path.with_name("lorry.db.lock").unlink)
    server = request.getfixturevalue("postgres")
    return Store(server.create(), lambda: server.execute(END_LEADING_SESSIONS))


@pytest.fixture
def installation(install, store):
    return install(LORRY_DATABASE_URL=store.url)


def put_to_sleep(leader, installation):
    """Stop the process, but not in the middle of a write: nobody could write, let alone lead, until it goes on."""

    def sleeps_without_a_lock():
        leader.popen.send_signal(signal.SIGSTOP)
        ready = installation.probe("/ready").json()
        if "store" not in [detail["field"] for detail in ready.get("details", [])]:
            return True
        leader.popen.send_signal(signal.SIGCONT)
        return False

    eventually(sleeps_without_a_lock, what="a leader that sleeps between two writes")


def start_two(installation):
    leader = installation.start("orchestrate")
    leader.wait_for(LEADS)
    return leader, installation.start("orchestrate")


def test_a_killed_leaders_running_job_goes_on_under_the_standby_with_the_same_attempt(installation):
    installation.serve("api")
    leader, standby = start_two(installation)
    assert f"(pid {leader.popen.pid}) since 20" in standby.wait_for(STANDS_BY)[0]
    user = installation.user("alice")
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")
    container = installation.inspect(job_id)["Id"]

    leader.stop(signal.SIGKILL)
    killed_at = time.monotonic()
    standby.wait_for(LEADS)
    assert time.monotonic() - killed_at < TAKEOVER_SECONDS
    installation.open_gate(job_id)
    job = user.wait(job_id, "completed")

    assert (job["attempt"], job["container_id"], installation.count_starts(job_id)) == (1, container, 1)


def test_of_two_servers_both_answer_and_one_starts_the_jobs(installation):
    first = installation.serve()
    first.wait_for(LEADS)
    second = installation.serve()
    second.wait_for(STANDS_BY)
    user = installation.user("alice")
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")

    assert first.stop() == 0
    second.wait_for(LEADS)
    installation.open_gate(job_id)
    assert user.wait(job_id, "completed")["attempt"] == 1
    assert installation.count_starts(job_id) == 1


def test_a_standby_ends_when_it_is_asked_to(installation):
    leader, standby = start_two(installation)
    standby.wait_for(STANDS_BY)

    assert standby.stop() == 0
    assert leader.is_alive


def test_a_leader_that_was_deposed_in_its_sleep_wakes_up_as_a_standby(installation, store):
    installation.serve("api")
    leader, standby = start_two(installation)
    user = installation.user("alice")
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")

    standby.wait_for(STANDS_BY)
    put_to_sleep(leader, installation)
    store.take_lock_away()
    standby.wait_for(LEADS)
    leader.popen.send_signal(signal.SIGCONT)
    said = eventually(lambda: STANDS_BY.search(leader.output.read_text()), what="a deposed leader that stands by")
    assert f"(pid {standby.popen.pid})" in said[0]

    installation.open_gate(job_id)
    assert user.wait(job_id, "completed")["attempt"] == 1
    assert installation.count_starts(job_id) == 1
    assert leader.is_alive
