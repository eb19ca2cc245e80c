"""Checkpoints as adapters."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Job, Progress
from orchestrator.domain.lifecycle import EndReason
from tests.factories import make_lineage
from tests.unit.api.installation import BOB, Installation

JOBS = "/api/training/jobs"


def ended(lorry: Installation, reason: EndReason = EndReason.ADAPTER_VERIFIED, **changes: Any) -> Job:
    """A job that left an adapter and a checkpoint of step 500, each of its own bytes."""
    job = lorry.orchestrator.claim(lorry.jobs.get(lorry.submit(**{"name": "my cat"} | changes)))
    lorry.registry.reserve(job, job.name or "", at=lorry.clock.now())
    running = lorry.jobs.save(
        job.running(started_at=job.updated_at, at=job.updated_at).with_progress(
            Progress(current_step=1000, total_steps=1000), at=job.updated_at
        )
    )
    main = leave(lorry, job, "my-cat.safetensors", ArtifactKind.ADAPTER)
    leave(lorry, job, "checkpoints/step-000500/adapter.safetensors", ArtifactKind.CHECKPOINT)
    leave(lorry, job, "checkpoints/step-000500/state.safetensors", ArtifactKind.CHECKPOINT)
    leave(lorry, job, "checkpoints/step-000900/state.safetensors", ArtifactKind.CHECKPOINT)
    result = {"adapters": [{"path": main.path, "format": "kohya", "sha256": main.sha256}], "steps": 1000}
    event = JobEvent(job_id=job.id, attempt=1, type="result", message="Result.", at=lorry.clock.now(), data=result)
    completed = main if reason is EndReason.ADAPTER_VERIFIED else None
    return lorry.jobs.save(running.ended(reason, at=lorry.clock.now()), events=[event], adapter=completed)


def leave(lorry: Installation, job: Job, path: str, kind: ArtifactKind) -> Artifact:
    lorry.workspace.prepare(job.id, {})
    lorry.workspace.write(job.id, path, f"{job.id} {path}".encode())
    collected = next(file for file in lorry.artifacts.collect(job.id) if file.path == path)
    artifact = Artifact(
        id=str(uuid.uuid4()),
        job_id=job.id,
        attempt=1,
        kind=kind,
        name=path.rpartition("/")[2],
        path=path,
        size_bytes=collected.size_bytes,
        sha256=collected.sha256,
        created_at=lorry.clock.now(),
    )
    lorry.records.add_artifacts([artifact])
    return artifact


def promote(lorry: Installation, job_id: str, headers: dict[str, str] | None = None, **body: Any) -> tuple[int, Any]:
    answer = lorry.client.post(
        f"{JOBS}/{job_id}/promote", json={"checkpoint": "step-000500"} | body, headers=headers or lorry.as_user()
    )
    return answer.status_code, answer.json()


def test_a_checkpoint_becomes_the_next_version_and_says_of_which_step(lorry: Installation) -> None:
    job = ended(lorry)
    status, body = promote(lorry, job.id)

    assert status == 201
    version = body["data"]
    assert (version["name"], version["version"], version["step"], version["job_id"]) == ("my cat", 2, 500, job.id)
    listed = lorry.client.get("/api/models/registered/my cat", headers=lorry.as_user()).json()["data"]
    assert [(each["version"], each["step"]) for each in listed] == [(2, 500), (1, None)]
    content = lorry.client.get(version["download_url"], headers=lorry.as_user())
    assert content.content == f"{job.id} checkpoints/step-000500/adapter.safetensors".encode()
    assert "my%20cat-step-500.safetensors" in content.headers["Content-Disposition"]
    assert (
        lorry.client.get(f"/api/artifacts/{version['artifact_id']}/usage", headers=lorry.as_user()).status_code == 200
    )


def test_who_promoted_what_stands_in_the_history_and_an_administrator_in_the_audit_log_too(lorry: Installation) -> None:
    job = ended(lorry)
    promote(lorry, job.id, lorry.as_admin())
    event = lorry.records.events(job.id)[-1]
    assert (event.type, event.message) == ("promotion", "Step 500 was registered as version 2 of my cat.")
    entries = lorry.client.get("/api/admin/audit", headers=lorry.as_admin()).json()["data"]
    (entry,) = [each for each in entries if each["action"] == "checkpoint_promoted"]
    assert (entry["subject"], entry["data"]["owner"]) == (job.id, "alice")
    (version,) = lorry.registry.promoted(job.id)
    assert version.user_id == "alice"


def test_asking_again_answers_with_what_it_is(lorry: Installation) -> None:
    job = ended(lorry)
    _, first = promote(lorry, job.id)
    status, second = promote(lorry, job.id, name="another name")
    assert (status, second["data"]) == (200, first["data"])
    assert promote(lorry, job.id, checkpoint=first["data"]["artifact_id"])[0] == 200


def test_a_job_that_failed_or_was_stopped_has_its_checkpoints_and_they_may_have_a_name_of_their_own(
    lorry: Installation,
) -> None:
    job = ended(lorry, EndReason.TRAINER_FAILED)
    status, body = promote(lorry, job.id, name="the half-way cat")
    assert (status, body["data"]["name"], body["data"]["version"]) == (201, "the half-way cat", 1)
    assert promote(lorry, job.id, name="a/b")[1]["error"] == "MODEL_NAME_INVALID"


def test_what_is_no_checkpoint_has_no_adapter_or_fails_verification_is_not_registered(lorry: Installation) -> None:
    job = ended(lorry)
    assert promote(lorry, job.id, checkpoint="step-000700")[1]["error"] == "CHECKPOINT_NOT_FOUND"
    assert promote(lorry, job.id, checkpoint="step-000900")[1]["error"] == "CHECKPOINT_WITHOUT_ADAPTER"
    lorry.artifacts.flaws["checkpoints/step-000500/adapter.safetensors"] = "Every weight of the adapter is zero."
    status, body = promote(lorry, job.id)
    assert (status, body["error"], body["message"]) == (409, "ADAPTER_INVALID", "Every weight of the adapter is zero.")
    lorry.artifacts.flaws.clear()
    lorry.workspace.write(job.id, "checkpoints/step-000500/adapter.safetensors", b"other bytes")
    lorry.artifacts.collect(job.id)
    assert promote(lorry, job.id)[1]["error"] == "ADAPTER_INVALID"
    assert lorry.registry.promoted(job.id) == []


def test_a_job_that_trains_and_anothers_job_have_nothing_to_promote(lorry: Installation) -> None:
    assert promote(lorry, lorry.submit())[1]["error"] == "JOB_NOT_ENDED"
    assert promote(lorry, ended(lorry).id, lorry.as_user(BOB))[0] == 404


def test_the_lineage_names_the_checkpoints_that_were_registered(lorry: Installation) -> None:
    job = ended(lorry)
    lorry.jobs.save(lorry.jobs.get(job.id), lineage=make_lineage(job))
    promote(lorry, job.id)
    lineage = lorry.client.get(f"{JOBS}/{job.id}/lineage", headers=lorry.as_user()).json()["data"]
    assert [(version["step"], version["version"]) for version in lineage["promoted"]] == [(500, 2)]


def test_the_files_tell_which_of_them_may_be_promoted(lorry: Installation) -> None:
    job = ended(lorry)

    def told() -> dict[str, tuple[str | None, bool]]:
        files = lorry.client.get(f"{JOBS}/{job.id}/artifacts", headers=lorry.as_user()).json()["data"]
        return {file["path"]: (file["checkpoint"], file["is_promotable"]) for file in files}

    assert told() == {
        "my-cat.safetensors": (None, False),
        "checkpoints/step-000500/adapter.safetensors": ("step-000500", True),
        "checkpoints/step-000500/state.safetensors": ("step-000500", False),
        "checkpoints/step-000900/state.safetensors": ("step-000900", False),
    }
    promote(lorry, job.id)
    assert told()["checkpoints/step-000500/adapter.safetensors"] == ("step-000500", False)


@pytest.mark.parametrize(
    ("step", "checkpoint", "is_registered"), [(500, "step-000500", False), (1000, None, True), (0, "", None)]
)
def test_a_sample_names_the_file_that_drew_it(
    lorry: Installation, step: int, checkpoint: str | None, *, is_registered: bool | None
) -> None:
    job = ended(lorry)
    picture = leave(lorry, job, f"samples/step-{step:06d}.png", ArtifactKind.SAMPLE)
    told = {"path": picture.path, "step": step, "prompt": "a cat", "seed": 1}
    event = JobEvent(job_id=job.id, attempt=1, type="sample", message="Sample.", at=lorry.clock.now(), data=told)
    lorry.jobs.save(lorry.jobs.get(job.id), events=[event])

    (sample,) = lorry.client.get(f"{JOBS}/{job.id}/samples", headers=lorry.as_user()).json()["data"]
    weights = sample["weights"]
    if is_registered is None:
        assert weights is None
    else:
        assert (weights["checkpoint"], weights["is_registered"]) == (checkpoint, is_registered)
