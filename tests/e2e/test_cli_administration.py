"""Administrators, experiments and re-runs from the command line, on a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.installation import LORRY, Installation, User
from tests.waiting import DEADLINE_SECONDS, eventually

Run = Callable[..., str]


@pytest.fixture
def lorry(lorry_server: Installation, request: pytest.FixtureRequest) -> Run:
    """`lorry ARGS` of an administrator, who also has jobs; what it prints."""
    token = lorry_server.run("token", "create", "--user", f"admin of {request.node.name}", "--admin").stdout.strip()
    environment = lorry_server.environment | {"LORRY_URL": lorry_server.url, "LORRY_TOKEN": token}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            (*LORRY, *arguments),
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_an_administrator_sees_a_users_container_and_stops_it_with_a_reason(lorry: Run, user: User) -> None:
    job_id = user.start("fake:hang=1")
    user.wait(job_id, "running")
    assert job_id in lorry("admin", "jobs")
    container = eventually(
        lambda: [each for each in json.loads(lorry("admin", "containers", "--json")) if each["job_id"] == job_id],
        what="the container among those shown",
    )[0]
    assert container["name"] in lorry("admin", "containers")
    assert job_id in lorry("admin", "gpus")
    lorry("admin", "stop", container["id"], "--reason", "the card is needed")
    assert user.wait(job_id, "cancelled")["end_reason"] == "cancel_requested"
    assert "the card is needed" in lorry("admin", "audit")


def test_a_users_limit_is_set_shown_and_taken_back(lorry: Run) -> None:
    assert "a-guest" in lorry("admin", "limit", "a-guest", "--jobs", "1")
    assert "a-guest" not in lorry("admin", "limit", "a-guest")


def test_jobs_of_an_experiment_stand_side_by_side_and_one_is_run_once_more(lorry: Run) -> None:
    experiment = lorry("experiments", "begin", "ranks", "--description", "how small may it be").strip()
    dataset = lorry("datasets", "upload", "configs/samples/photographs").strip()
    model = ("--base-model", "lorry/tiny-sd15")
    job_id = json.loads(lorry("submit", dataset, *model, "--experiment", experiment, "--watch", "--json"))["id"]
    shown: dict[str, Any] = json.loads(lorry("experiments", "show", experiment))
    assert [job["job_id"] for job in shown["jobs"]] == [job_id]
    assert "ranks" in lorry("experiments", "list")
    again = lorry("rerun", job_id).strip()
    assert again != job_id
    assert lorry("watch", again).strip().splitlines()[-1].startswith(f"Job {again} completed")
    lorry("experiments", "delete", experiment)
    assert "ranks" not in lorry("experiments", "list")


def test_tab_completion_knows_the_commands(lorry_server: Installation) -> None:
    environment = lorry_server.environment | {
        "_LORRY_COMPLETE": "complete_bash",
        "COMP_WORDS": "lorry exp",
        "COMP_CWORD": "1",
    }
    program = "import sys; sys.argv[0] = 'lorry'; from cli.main import app; app(prog_name='lorry')"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "experiments" in done.stdout
