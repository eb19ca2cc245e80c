"""The engine itself is killed and started again, with and without live-restore (rows 12 and 13 of the fault plan)."""

from __future__ import annotations

import pytest

from tests.faults.invariants import look
from tests.waiting import eventually


@pytest.fixture
def start_job_on(install):
    """`start_job_on(private_engine)`: an installation there, its user, and a job that waits at its gate."""

    def start(private_engine):
        installation = install(private_engine.client, LORRY_DOCKER_HOST=private_engine.url)
        installation.serve()
        installation.wait_until_ready()
        alice = installation.user("alice")
        job_id = alice.start("fake:gate=1")
        alice.wait(job_id, "running")
        return installation, alice, job_id

    return start


def kill_and_notice(private_engine, installation):
    private_engine.kill()
    eventually(lambda: installation.probe("/ready").status_code == 503, what="an engine that is missed")


def end_reasons(installation, job_id):
    return [str(attempt.end_reason) for attempt in look(installation).stories[job_id].attempts]


@pytest.mark.slow
def test_an_engine_that_stops_its_containers_as_it_comes_back_costs_an_attempt_and_no_job(
    start_private_engine, start_job_on
):
    private_engine = start_private_engine()
    installation, alice, job_id = start_job_on(private_engine)
    kill_and_notice(private_engine, installation)
    assert alice.job(job_id)["status"] == "running"

    private_engine.start()
    eventually(lambda: installation.count_starts(job_id) == 2, what="another attempt")
    installation.open_gate(job_id)
    alice.wait(job_id, "completed")
    assert end_reasons(installation, job_id) == ["stopped_unasked", "adapter_verified"]


@pytest.mark.slow
def test_an_engine_with_live_restore_dies_and_comes_back_without_a_job_noticing(start_private_engine, start_job_on):
    private_engine = start_private_engine(live_restore=True)
    installation, alice, job_id = start_job_on(private_engine)
    kill_and_notice(private_engine, installation)
    installation.open_gate(job_id)  # it trains while its engine is dead
    eventually(lambda: len(alice.records(job_id, "metrics")) == 20, what="metrics without an engine")
    assert alice.job(job_id)["status"] == "running"

    private_engine.start()
    alice.wait(job_id, "completed")
    assert (end_reasons(installation, job_id), installation.count_starts(job_id)) == (["adapter_verified"], 1)
