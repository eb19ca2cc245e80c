"""A job for a model that is not here: it waits while that comes, past a killed process, and trains on it."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import MakeInstallation
from tests.e2e.installation import Installation
from tests.integration.huggingface.hub_server import COMMIT, MODEL, TOKEN, WANTED, WEIGHTS, HubServer
from tests.waiting import eventually

MIB = 1024**2

pytestmark = pytest.mark.docker


@pytest.fixture
def installation(install: MakeInstallation, hub: HubServer, hub_catalogue: Path) -> Installation:
    return install(LORRY_CATALOGUE=str(hub_catalogue), LORRY_HUB_ENDPOINT=hub.url, LORRY_HUB_TOKEN=TOKEN)


def _begin(installation: Installation) -> None:
    installation.serve()
    installation.wait_until_ready()


def _fetched_bytes(installation: Installation) -> int:
    partial = installation.data_dir / "models" / f".download-org--model@{COMMIT}" / f"{WEIGHTS}.partial"
    return partial.stat().st_size if partial.exists() else 0


def _reason(installation: Installation, job_id: str) -> str:
    queue: dict[str, Any] | None = installation.user("alice").job(job_id)["queue"]
    return queue["reason"] if queue else ""


def test_a_job_waits_for_its_model_past_a_killed_process_and_trains_on_it(
    installation: Installation, hub: HubServer
) -> None:
    hub.stall_after[WEIGHTS] = [2 * MIB]
    _begin(installation)
    job_id = installation.user("alice").start(base_model=MODEL)
    eventually(lambda: _fetched_bytes(installation) == 2 * MIB)
    assert re.fullmatch(rf"waits for the model {MODEL}: \d+ %", _reason(installation, job_id))
    installation.stop_orchestrators(signal.SIGKILL)

    _begin(installation)
    alice = installation.user("alice")
    job = alice.wait(job_id, "completed")

    assert f"bytes={2 * MIB}-" in hub.ranges
    assert {path: hub.asked[path] for path in WANTED if path != WEIGHTS} == dict.fromkeys(set(WANTED) - {WEIGHTS}, 1)
    config = json.loads((installation.data_dir / "configs" / f"{job_id}.json").read_text())
    assert (config["base_model_revision"], job["attempt"]) == (COMMIT, 1)
    assert {row["ready"] for row in alice.get("/catalog/models")} == {True}
    assert all(TOKEN not in process.output.read_text() for process in installation.processes)


def test_a_gated_model_ends_the_job_with_what_to_do(installation: Installation, hub: HubServer) -> None:
    hub.is_gated = True
    installation.environment["LORRY_HUB_TOKEN"] = "hf_of-somebody-else"
    _begin(installation)
    alice = installation.user("alice")
    job = alice.wait(alice.start(base_model=MODEL), "failed")

    assert job["end_reason"] == "base_model_unavailable"
    assert f"{MODEL} is gated" in job["error_message"]
    assert "hf_of" not in job["error_message"]


def test_pulling_a_model_fetches_it_before_any_job_asks(installation: Installation, hub: HubServer) -> None:
    _begin(installation)
    installation.user("alice")
    token = installation.run("token", "create", "--user", "alice").stdout.strip()
    installation.environment |= {"LORRY_TOKEN": token, "LORRY_URL": installation.url}

    pulled = installation.run("models", "pull", MODEL)
    assert (pulled.returncode, pulled.stdout) == (0, f"{MODEL} is here: 3.0 MiB, revision {COMMIT}.\n"), pulled.stderr
    assert "as its hub promised" in installation.run("models", "verify").stdout
