"""Administrators look at everybody's jobs, containers and devices, and decide; nobody else does."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.adapters.sql import SqlContainerStore
from orchestrator.domain.administration import ContainerDetails, ContainerSample
from orchestrator.domain.container import Mount
from orchestrator.domain.job import Progress
from tests.factories import NOW, make_container
from tests.unit.api.installation import ALICE, BOB, Install, Installation

ADMIN = "/api/admin"
CALLS = [
    ("GET", "containers", None),
    ("GET", "containers/any", None),
    ("GET", "containers/any/logs", None),
    ("POST", "containers/any/stop", {"reason": "because"}),
    ("GET", "jobs", None),
    ("POST", "jobs/5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11/priority", {"priority": 2}),
    ("GET", "queue", None),
    ("GET", "gpus", None),
    ("POST", "gpus/trust", {"device": "GPU-1"}),
    ("GET", "limits", None),
    ("POST", "limits", {"user_id": ALICE, "max_active_jobs": 64}),
    ("GET", "maintenance", None),
    ("POST", "maintenance", {"reason": "because"}),
    ("POST", "maintenance/end", None),
    ("GET", "audit", None),
]


@pytest.fixture
def lorry(lorry: Installation) -> Installation:
    lorry.engine_answers("cpu-0", "cpu-1")
    return lorry


def get(lorry: Installation, path: str) -> Any:
    answer = lorry.client.get(f"{ADMIN}/{path}", headers=lorry.as_admin())
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def post(lorry: Installation, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
    answer = lorry.client.post(f"{ADMIN}/{path}", json=body, headers=lorry.as_admin())
    assert answer.status_code == status, answer.text
    return answer.json()


def actions(lorry: Installation) -> list[tuple[str, str, str]]:
    """(action, subject, message) of what administrators did, oldest first."""
    entries = reversed(get(lorry, "audit"))
    return [(e["action"], e["subject"], e["message"]) for e in entries if e["action"] != "token_created"]


def run(lorry: Installation, user: str = ALICE) -> str:
    """The id of a job that runs."""
    lorry.orchestrator.launches = lambda played, job: played.start(job)
    job_id = lorry.submit(user)
    lorry.orchestrator.launches = None
    return job_id


def sample(lorry: Installation, job_id: str) -> str:
    """The id of that job's container, which the orchestrator has looked at."""
    details = ContainerDetails(
        image="training-image",
        mounts=(Mount("/data/x", "/workspace/outputs", is_read_only=False),),
        memory_bytes=1024**3,
        cpus=None,
        pids=64,
        shm_bytes=None,
    )
    looked = ContainerSample(
        container=make_container(job_id),
        details=details,
        cpu_percent=50.0,
        memory_bytes=1024,
        pids=2,
        sampled_at=NOW,
    )
    SqlContainerStore(lorry.jobs._database).replace([looked])
    return looked.container.id


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_nobody_but_an_administrator_may(
    lorry: Installation, method: str, path: str, body: dict[str, Any] | None
) -> None:
    answer = lorry.client.request(method, f"{ADMIN}/{path}", json=body, headers=lorry.as_user(ALICE))
    assert (answer.status_code, answer.json()["error"]) == (403, "ADMIN_ONLY")
    assert lorry.client.request(method, f"{ADMIN}/{path}", json=body).status_code == 401
    assert actions(lorry) == []


def test_a_container_is_shown_with_its_owner_limits_and_what_its_gpu_does(lorry: Installation) -> None:
    job_id = run(lorry, BOB)
    job = lorry.jobs.get(job_id)
    reported = {"gpu_utilization": 87.5, "gpu_memory_bytes": "<script>"}
    lorry.jobs.save(job.with_progress(Progress(metrics=reported), at=NOW))
    container_id = sample(lorry, job_id)
    (shown,) = get(lorry, "containers")
    assert get(lorry, f"containers/{container_id}") == shown
    assert (shown["owner"], shown["job_id"], shown["state"], shown["image"]) == (
        BOB,
        job_id,
        "running",
        "training-image",
    )
    assert shown["limits"] == {"memory_bytes": 1024**3, "cpus": None, "pids": 64, "shm_bytes": None}
    assert shown["mounts"] == [{"source": "/data/x", "target": "/workspace/outputs", "is_read_only": False}]
    assert shown["usage"] == {
        "cpu_percent": 50.0,
        "memory_bytes": 1024,
        "pids": 2,
        "gpu_utilization": 87.5,
        "gpu_memory_bytes": None,
    }


def test_a_container_of_no_job_is_shown_and_cannot_be_stopped(lorry: Installation) -> None:
    container_id = sample(lorry, "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11")
    (shown,) = get(lorry, "containers")
    assert (shown["job_id"], shown["owner"]) == (None, None)
    assert get(lorry, f"containers/{container_id}") == shown
    assert get(lorry, f"containers/{container_id}/logs") == []
    assert post(lorry, f"containers/{container_id}/stop", {"reason": "no"}, status=409)["error"] == "JOB_ENDED"


def test_stopping_a_container_cancels_its_job_for_a_reason_that_its_owner_reads(lorry: Installation) -> None:
    job_id = run(lorry, BOB)
    container_id = sample(lorry, job_id)
    for _ in range(2):
        assert post(lorry, f"containers/{container_id}/stop", {"reason": "too hot"})["data"]["job_id"] == job_id
    job = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user(BOB)).json()["data"]
    assert job["status"] == "running"  # until its container has ended
    assert lorry.jobs.get(job_id).cancel_reason == "too hot"
    events = lorry.client.get(f"/api/training/jobs/{job_id}/events", headers=lorry.as_user(BOB)).json()["data"]
    assert (events[-1]["message"], events[-1]["data"]["actor"]) == ("Cancel requested: too hot", "admin")
    assert actions(lorry) == [("container_stopped", container_id, "Stopped: too hot")]


def test_the_log_of_a_container_is_its_jobs(lorry: Installation) -> None:
    job_id = run(lorry, BOB)
    lorry.workspace.append_log(job_id, ["one", "two"], at_bytes=0)
    assert get(lorry, f"containers/{sample(lorry, job_id)}/logs?tail=1") == ["two"]


def test_all_users_jobs_are_listed_and_one_users_on_request(install: Install) -> None:
    lorry = install(submit_wait_seconds=0)
    jobs = {lorry.submit(user): user for user in (ALICE, BOB)}
    assert {job["id"]: job["user_id"] for job in get(lorry, "jobs")} == jobs
    assert {job["user_id"] for job in get(lorry, f"jobs?user_id={BOB}")} == {BOB}
    assert get(lorry, "jobs?user_id=nobody") == []


def test_the_whole_queue_has_everybodys_jobs(install: Install) -> None:
    lorry = install(submit_wait_seconds=0)
    jobs = {lorry.submit(user) for user in (ALICE, BOB)}
    assert {job["job_id"] for job in get(lorry, "queue")["jobs"]} == jobs


def test_a_higher_priority_puts_a_waiting_job_in_front(install: Install) -> None:
    lorry = install(submit_wait_seconds=0)
    first, second = lorry.submit(ALICE), lorry.submit(BOB)
    changed = post(lorry, f"jobs/{second}/priority", {"priority": 2})["data"]
    assert (changed["priority"], changed["queue"]["position"]) == (2, 1)
    assert [job["job_id"] for job in get(lorry, "queue")["jobs"]] == [second, first]
    assert actions(lorry) == [("priority_changed", second, "Priority 2 instead of 0.")]


def test_a_running_jobs_priority_stays(lorry: Installation) -> None:
    assert post(lorry, f"jobs/{run(lorry)}/priority", {"priority": 2}, status=409)["error"] == "JOB_NOT_QUEUED"
    unknown = "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11"
    assert post(lorry, f"jobs/{unknown}/priority", {"priority": 2}, status=404)["error"] == "JOB_NOT_FOUND"


def test_devices_are_listed_with_who_holds_them_and_a_suspect_is_trusted_again(lorry: Installation) -> None:
    job_id = run(lorry, BOB)
    lorry.records.mark_suspect(["cpu-1"], reason="It failed.", job_id="job", at=NOW)
    devices = {device["id"]: device for device in get(lorry, "gpus")}
    held = devices[f"cpu-{job_id}"]
    assert (held["job_id"], held["owner"], held["suspect"]) == (job_id, BOB, None)
    assert devices["cpu-1"]["suspect"]["reason"] == "It failed."
    assert devices["cpu-0"] == {"id": "cpu-0", "job_id": None, "owner": None, "leased_at": None, "suspect": None}

    trusted = post(lorry, "gpus/trust", {"device": "cpu-1"})["data"]
    assert all(device["suspect"] is None for device in trusted)
    assert post(lorry, "gpus/trust", {"device": "cpu-1"}, status=404)["error"] == "DEVICE_NOT_FOUND"
    assert actions(lorry) == [("suspect_cleared", "cpu-1", "Trusted again.")]


def test_a_user_with_a_limit_of_none_waits_and_starts_again_with_the_installations(lorry: Installation) -> None:
    assert post(lorry, "limits", {"user_id": BOB, "max_active_jobs": 0})["data"] == [
        {"user_id": BOB, "max_active_jobs": 0}
    ]
    lorry.submit(BOB)
    (waiting,) = get(lorry, "queue")["jobs"]
    assert (waiting["reason"], waiting["eta_seconds"]) == ("your limit of 0 running jobs", None)
    assert post(lorry, "limits", {"user_id": BOB, "max_active_jobs": None})["data"] == []
    (waiting,) = get(lorry, "queue")["jobs"]
    assert waiting["reason"].startswith("its turn has come")
    assert [action for action, *_ in actions(lorry)] == ["limit_changed"] * 2


@pytest.mark.parametrize("most", [-1, 65, 1.5, "2", True])
def test_a_limit_that_is_none_is_refused(lorry: Installation, most: Any) -> None:
    post(lorry, "limits", {"user_id": BOB, "max_active_jobs": most}, status=400)


def test_in_maintenance_jobs_are_accepted_and_wait_with_its_reason(lorry: Installation) -> None:
    begun = post(lorry, "maintenance", {"reason": "a new disk"})["data"]
    assert (begun["is_on"], begun["reason"], begun["actor"]) == (True, "a new disk", "root")
    job_id = lorry.submit(BOB)
    job = lorry.client.get(f"/api/training/jobs/{job_id}", headers=lorry.as_user(BOB)).json()["data"]
    assert (job["status"], job["queue"]["reason"]) == ("queued", "maintenance: a new disk")
    queue = lorry.client.get("/api/training/queue", headers=lorry.as_user(BOB)).json()["data"]
    assert queue["problem"] == "maintenance: a new disk"

    assert post(lorry, "maintenance/end")["data"] == {"is_on": False, "reason": None, "actor": None, "since": None}
    assert get(lorry, "queue")["problem"] is None
    assert [action for action, *_ in actions(lorry)] == ["maintenance_begun", "maintenance_ended"]
