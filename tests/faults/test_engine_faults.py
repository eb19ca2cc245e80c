"""The engine's answers are lost, late or missing (rows 6, 7, 9 and 10 of the fault plan): unknown changes nothing."""

from __future__ import annotations

import time

import pytest

from tests.waiting import eventually, throughout

OUTAGE_SECONDS = 60.0
# Ten seconds are a call's own; the rest is this machine's.
PROMPT_SECONDS = 5.0
STEPS = 20  # metrics of one fake job


@pytest.fixture
def behind(install):
    """`behind(proxy)`: a running installation that talks to the engine through the proxy."""

    def start(proxy):
        installation = install(LORRY_DOCKER_HOST=proxy.url)
        installation.serve()
        installation.wait_until_ready()
        return installation

    return start


def assert_completed_at_the_first_attempt(installation, user, job_id):
    job = user.wait(job_id, "completed")
    assert (job["attempt"], installation.count_starts(job_id)) == (1, 1)
    assert len(user.records(job_id, "metrics")) == STEPS
    installation.wait_for_no_container()


def test_a_container_whose_creation_was_not_heard_of_is_adopted(engine_proxy, behind):
    installation = behind(engine_proxy)
    alice = installation.user("alice")
    lost = engine_proxy.lose("POST .*/containers/create")

    job_id = alice.start()

    assert lost.times == 0
    assert_completed_at_the_first_attempt(installation, alice, job_id)


def test_a_container_whose_start_was_not_heard_of_is_not_started_again(engine_proxy, behind):
    installation = behind(engine_proxy)
    alice = installation.user("alice")
    lost = engine_proxy.lose("POST .*/start")

    job_id = alice.start()

    assert lost.times == 0
    assert_completed_at_the_first_attempt(installation, alice, job_id)


def test_a_container_whose_removal_was_not_heard_of_is_gone_and_its_job_ended_once(engine_proxy, behind):
    installation = behind(engine_proxy)
    alice = installation.user("alice")
    lost = engine_proxy.lose("DELETE .*/containers/")

    job_id = alice.start()

    assert_completed_at_the_first_attempt(installation, alice, job_id)
    assert lost.times == 0


@pytest.mark.slow
def test_an_engine_that_is_away_for_a_minute_ends_no_job_and_is_reported(engine_proxy, behind):
    installation = behind(engine_proxy)
    alice, bob = installation.user("alice"), installation.user("bob")
    short, long = alice.start("fake:seconds=20"), alice.start(f"fake:seconds={OUTAGE_SECONDS + 5}")
    for job_id in (short, long):
        alice.wait(job_id, "running")

    gone_at = time.monotonic()
    engine_proxy.go_away()
    eventually(lambda: installation.probe("/ready").status_code == 503, what="an engine that is missed")
    waiting = bob.start()
    eventually(lambda: len(alice.records(short, "metrics")) == STEPS, what="all its metrics")

    def is_told_and_unchanged():
        assert installation.probe("/health").status_code == 200
        assert "The Docker Engine has not answered since" in installation.probe("/ready").json()["message"]
        assert "the Docker Engine has not answered since" in bob.job(waiting)["queue"]["reason"]
        return [alice.job(job_id)["status"] for job_id in (short, long)] == ["running", "running"]

    throughout(is_told_and_unchanged, seconds=gone_at + OUTAGE_SECONDS - time.monotonic())
    engine_proxy.come_back()

    assert_completed_at_the_first_attempt(installation, bob, waiting)
    for job_id in (short, long):
        assert_completed_at_the_first_attempt(installation, alice, job_id)


@pytest.mark.slow
def test_an_engine_that_hangs_holds_up_neither_the_api_nor_any_job_for_good(start_proxy, behind):
    """Four installations at a time, each with another call that gets no answer."""
    calls = ("GET .*/containers/json", "GET .*/containers/[0-9a-f]+/json", "GET .*/logs", "")
    proxies = {call: start_proxy() for call in calls}
    sites = {call: behind(proxy) for call, proxy in proxies.items()}
    users = {call: site.user("alice") for call, site in sites.items()}
    jobs = {call: user.start("fake:gate=1") for call, user in users.items()}
    for call, user in users.items():
        user.wait(jobs[call], "running")

    for call, proxy in proxies.items():
        proxy.hang(call)
        sites[call].open_gate(jobs[call])
    for call, user in users.items():
        eventually(
            lambda user=user, call=call: len(user.records(jobs[call], "metrics")) == STEPS,
            what=f"metrics while {call!r} hangs",
        )
    for silent in ("GET .*/containers/json", ""):
        eventually(
            lambda silent=silent: "has not answered" in sites[silent].probe("/ready").text,
            what=f"word of an engine that hangs at {silent!r}",
        )
    for call, user in users.items():
        began = time.monotonic()
        assert user.job(jobs[call])["status"] == "running"
        assert time.monotonic() - began < PROMPT_SECONDS

    for call, proxy in proxies.items():
        proxy.recover()
        assert_completed_at_the_first_attempt(sites[call], users[call], jobs[call])
