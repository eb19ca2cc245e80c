"""A store that goes away and comes back (row 16 of the fault plan): nobody crashes and no job is lost."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.postgres import Postgres, running_postgres
from tests.waiting import eventually

REFUSED_SEVERAL_PASSES = re.compile(r"(?:.*store unavailable.*\n(?:.*\n)*?){3}")


@pytest.fixture(scope="module")
def mortal_postgres() -> Iterator[Postgres]:
    """One to stop and start. Of the module, so that it outlives the check of the invariants."""
    with running_postgres() as server:
        yield server


def is_answered_503(answer):
    body = answer.json()
    assert (body["ok"], body["error"], body["details"]) == (False, "STORE_UNAVAILABLE", [])
    assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code == 503


def wait_for_exit(installation, job_id):
    eventually(lambda: installation.inspect(job_id)["State"]["Status"] == "exited", what="the trainer's end")


def test_jobs_outlive_a_postgres_that_loses_its_power(install, mortal_postgres):
    installation = install(LORRY_DATABASE_URL=mortal_postgres.create())
    server = installation.serve()
    user = installation.user("alice")
    ending, going_on = user.start("fake:gate=1"), user.start("fake:gate=1")
    for job_id in (ending, going_on):
        user.wait(job_id, "running")
    dataset_id = user.upload()

    mortal_postgres.stop()
    assert is_answered_503(user.http.get(f"/training/jobs/{ending}"))
    assert is_answered_503(user.submit(dataset_id=dataset_id))
    assert installation.probe("/health").status_code == 200
    assert installation.probe("/ready").status_code == 503
    installation.open_gate(ending)
    wait_for_exit(installation, ending)
    server.wait_for(REFUSED_SEVERAL_PASSES)
    mortal_postgres.start()

    eventually(lambda: user.http.get(f"/training/jobs/{ending}").is_success, what="an API that answers again")
    assert user.wait(ending, "completed")["attempt"] == 1
    assert user.wait(going_on, "running")["attempt"] == 1
    installation.open_gate(going_on)
    assert user.wait(going_on, "completed")["attempt"] == 1
    assert [installation.count_starts(job_id) for job_id in (ending, going_on)] == [1, 1]
    assert "Traceback" not in server.output.read_text()


def test_jobs_outlive_a_sqlite_file_that_somebody_else_has_locked(install, tmp_path):
    path = tmp_path / "lorry.db"
    installation = install(LORRY_DATABASE_URL=f"sqlite:///{path}?timeout=0.2")
    server = installation.serve()
    user = installation.user("alice")
    job_id = user.start("fake:gate=1")
    user.wait(job_id, "running")
    dataset_id = user.upload()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert is_answered_503(user.submit(dataset_id=dataset_id))
        assert user.job(job_id)["status"] == "running", "readers do not wait for writers"
        installation.open_gate(job_id)
        wait_for_exit(installation, job_id)
        server.wait_for(REFUSED_SEVERAL_PASSES)
        other.execute("ROLLBACK")

    assert user.wait(job_id, "completed")["attempt"] == 1
    assert installation.count_starts(job_id) == 1
    assert "Traceback" not in server.output.read_text()


def test_a_server_whose_store_is_away_says_so_and_does_not_start(install, installations):
    installation = install(LORRY_DATABASE_URL="postgresql://lorry:secret@127.0.0.1:1/lorry")

    installations.clear()  # no store, no invariants
    refused = installation.run("serve")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Could not open the job store postgresql+psycopg://lorry:***@127.0.0.1:1/lorry: ")
    assert "LORRY_DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "secret" not in refused.stderr
