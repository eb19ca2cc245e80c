"""Looking at, listing and cancelling jobs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from orchestrator.domain.artifact import ArtifactKind
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.training import options
from tests.factories import make_artifact
from tests.unit.api.installation import BOB, Installation, PlayedOrchestrator

JOBS = "/api/training/jobs"

# The contract's list, word for word.
KEYS = """id, user_id, dataset_id, name, type, base_model, config, trigger_words, status, priority, attempt,
container_id, gpu_ids, progress, phase, current_step, total_steps, current_epoch, total_epochs, eta_seconds,
train_count, val_count, metrics, end_reason, exit_code, error_message, queue, estimate, image_digest, experiment_id,
retry_of, created_at, updated_at, started_at, completed_at"""


def get(lorry: Installation, path: str, user: str = "alice") -> dict[str, Any]:
    answer = lorry.client.get(path, headers=lorry.as_user(user))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


# What the contract does not list; clients may ignore it.
MORE_KEYS = {
    "preset",
    "retries",
    "retry_at",
    "cancel_requested_at",
    "kill_at",
    "checkpoint_step",
    "saved",
    "continues",
    "memory_profile",
    "gpus",
    "max_runtime_seconds",
    "dataset_sha256",
    "excluded_items",
    "notes",
    "tags",
    "restorable_until",
    "undo_delete_seconds",
    "best",
    "best_checkpoint",
}


def test_a_job_has_the_keys_of_the_contract_in_its_order(lorry: Installation) -> None:
    job = get(lorry, f"{JOBS}/{lorry.submit()}")["data"]
    assert [key for key in job if key not in MORE_KEYS] == [key.strip() for key in KEYS.split(",")]
    assert job.keys() >= MORE_KEYS
    assert set(job["config"]) == set(options())
    assert (job["total_steps"], job["progress"], job["metrics"], job["estimate"]) == (1000, 0, {}, None)
    assert job["created_at"].endswith("Z")


def test_a_queued_job_says_where_it_stands_and_why(lorry: Installation) -> None:
    job_id = lorry.submit()
    place = get(lorry, f"{JOBS}/{job_id}")["data"]["queue"]
    assert place == {
        "position": 1,
        "reason": "no orchestrator has looked at the queue yet",
        "explanation": "No job can start: no orchestrator has looked at the queue yet.",
        "freed_by": "Whoever runs this installation sees to that. It then starts by itself.",
        "waiting_since": place["waiting_since"],
        "eta_seconds": None,
        "eta_low_seconds": None,
        "eta_high_seconds": None,
    }
    lorry.engine_answers()
    assert get(lorry, f"{JOBS}/{job_id}")["data"]["queue"]["reason"] == "no GPU or CPU slot is free"
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    assert get(lorry, f"{JOBS}/{job_id}")["data"]["queue"] is None


def test_an_ended_job_says_how(lorry: Installation) -> None:
    job_id = lorry.submit()
    lorry.orchestrator.start(lorry.jobs.get(job_id))
    job = lorry.jobs.get(job_id)
    lorry.jobs.save(job.ended(EndReason.GPU_OUT_OF_MEMORY, at=job.updated_at, exit_code=13))
    shown = get(lorry, f"{JOBS}/{job_id}")["data"]
    assert (shown["status"], shown["end_reason"], shown["exit_code"]) == ("failed", "gpu_out_of_memory", 13)
    assert "Lower resolution" in shown["error_message"]
    assert shown["completed_at"] is not None


class TestListing:
    def test_the_newest_come_first_page_by_page(self, lorry: Installation) -> None:
        ids = []
        for _ in range(5):
            ids.append(lorry.submit())
            lorry.clock.advance(1)
        page = get(lorry, f"{JOBS}?page=2&page_size=2")
        assert [job["id"] for job in page["data"]] == [ids[2], ids[1]]
        assert (page["ok"], page["total"], page["page"], page["page_size"]) == (True, 5, 2, 2)
        oldest = get(lorry, f"{JOBS}?sort=created_at")
        assert [job["id"] for job in oldest["data"]] == ids
        assert get(lorry, f"{JOBS}?page=1000000")["data"] == []

    def test_the_best_comes_first_where_that_is_asked_for_and_names_its_checkpoint(self, lorry: Installation) -> None:
        ids = [lorry.submit() for _ in range(3)]
        for job_id, losses in zip(ids[:2], [(0.5, 0.2), (0.4, 0.3)], strict=True):
            job = lorry.jobs.get(job_id)
            progress = Progress(best_loss=losses[0], best_loss_step=90, best_val_loss=losses[1], best_val_loss_step=50)
            lorry.jobs.save(job.with_progress(progress, at=job.updated_at))
        paths = [f"checkpoints/step-{step:06d}/adapter.safetensors" for step in (40, 100)]
        kept = [make_artifact(job_id=ids[0], kind=ArtifactKind.CHECKPOINT, path=path) for path in paths]
        lorry.records.add_artifacts(kept)

        by_loss = get(lorry, f"{JOBS}?sort=best_loss")["data"]
        by_validation = get(lorry, f"{JOBS}?sort=best_val_loss")["data"]
        assert [job["id"] for job in by_loss] == [ids[1], ids[0], ids[2]]
        assert [job["id"] for job in by_validation] == ids
        assert by_validation[0]["best"] == {"loss": {"value": 0.5, "step": 90}, "val_loss": {"value": 0.2, "step": 50}}
        assert [job["best_checkpoint"] for job in by_validation] == ["step-000040", None, None]
        assert by_validation[2]["best"] == {"loss": None, "val_loss": None}
        runs = get(lorry, "/api/analysis/training/jobs?sort=best_loss")["data"]
        assert [(run["id"], run["bestTrainLoss"], run["bestTrainStep"]) for run in runs[:2]] == [
            (ids[1], 0.4, 90),
            (ids[0], 0.5, 90),
        ]
        refused = lorry.client.get(f"{JOBS}?sort=worst", headers=lorry.as_user())
        assert (refused.status_code, refused.json()["details"][0]["field"]) == (400, "sort")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("status=queued", 2),
            ("status=running,queued", 3),
            ("status=running&status=queued", 3),
            ("status=completed", 0),
            ("type=dreambooth", 1),
            ("base_model=lorry/tiny-sd15", 3),
            ("base_model=other/model", 0),
            ("q=گربه", 1),
            ("q=CAT", 1),
            ("q=", 3),
            ("q=%25", 0),
            ("tag=keep", 1),
            ("tag=kee", 0),
            ("tag=", 3),
            ("tag=گربه%E2%80%8C", 1),
            ("dataset_id=5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11", 0),
            ("experiment_id={experiment_id}", 1),
        ],
    )
    def test_filters_narrow_it(self, lorry: Installation, query: str, found: int) -> None:
        running = lorry.submit(name="گربه من")
        said = {"tags": ["keep", "گربه\u200c"]}
        lorry.client.patch(f"{JOBS}/{running}", json=said, headers=lorry.as_user())
        lorry.orchestrator.start(lorry.jobs.get(running))
        lorry.submit(type="dreambooth", name="my cat")
        experiment_id = lorry.experiment()
        lorry.submit(experiment_id=experiment_id)
        lorry.submit(BOB, name="my cat")
        page = get(lorry, f"{JOBS}?{query.format(experiment_id=experiment_id)}")
        assert (page["total"], len(page["data"])) == (found, found)


def test_active_jobs_are_those_that_hold_a_slot_and_only_the_callers(lorry: Installation) -> None:
    lorry.submit()
    running, theirs = lorry.submit(), lorry.submit(BOB)
    for job_id in (running, theirs):
        lorry.orchestrator.start(lorry.jobs.get(job_id))

    active = get(lorry, "/api/training/active")

    assert ([job["id"] for job in active["data"]], active["total"]) == ([running], 1)


class TestCancelling:
    def test_a_queued_job_ends_at_once(self, lorry: Installation) -> None:
        path = f"{JOBS}/{lorry.submit()}/cancel"
        answer = lorry.client.post(path, json={"reason": "wrong pictures"}, headers=lorry.as_user())
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "cancelled")

    def test_a_running_job_is_asked_to_end_and_asking_twice_is_fine(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        lorry.orchestrator.start(lorry.jobs.get(job_id))
        for _ in range(2):
            answer = lorry.client.post(f"{JOBS}/{job_id}/cancel", headers=lorry.as_user())
            assert (answer.status_code, answer.json()["data"]["status"]) == (200, "running")
        assert lorry.jobs.get(job_id).is_cancel_requested

    def test_a_running_job_is_stopped_without_time_to_save_where_that_is_asked_for(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        lorry.orchestrator.start(lorry.jobs.get(job_id))
        path = f"{JOBS}/{job_id}/cancel"
        assert lorry.client.post(path, headers=lorry.as_user()).json()["data"]["kill_at"] is None
        job = lorry.client.post(path, json={"save": False}, headers=lorry.as_user()).json()["data"]
        assert (job["status"], job["kill_at"]) == ("running", job["cancel_requested_at"])
        assert lorry.client.post(path, json={"save": "no"}, headers=lorry.as_user()).status_code == 400
        assert lorry.client.post(path, json={"save": False}, headers=lorry.as_user(BOB)).status_code == 404

    def test_an_ended_job_cannot_be_cancelled(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        job = lorry.jobs.get(job_id)
        lorry.jobs.save(dataclasses.replace(job, status=JobStatus.COMPLETED, completed_at=job.updated_at))
        answer = lorry.client.post(f"{JOBS}/{job_id}/cancel", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["error"]) == (409, "JOB_ENDED")

    @pytest.mark.parametrize("reason", ["x" * 501, "nul\x00", 7])
    def test_a_reason_is_short_and_visible(self, lorry: Installation, reason: object) -> None:
        path = f"{JOBS}/{lorry.submit()}/cancel"
        answer = lorry.client.post(path, json={"reason": reason}, headers=lorry.as_user())
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "reason")


class TestPolling:
    def test_it_is_answered_with_what_the_orchestrator_found_at_once(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        lorry.orchestrator.launches = PlayedOrchestrator.start
        answer = lorry.client.post(f"{JOBS}/{job_id}/poll", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "running")

    def test_where_nothing_happens_the_job_is_shown_as_it_is(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        answer = lorry.client.post(f"{JOBS}/{job_id}/poll", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "queued")

    def test_nobody_is_woken_for_an_ended_job(self, lorry: Installation) -> None:
        job_id = lorry.submit()
        lorry.client.post(f"{JOBS}/{job_id}/cancel", headers=lorry.as_user())
        lorry.orchestrator.launches = lambda _, job: pytest.fail(f"woken for {job.id}")
        answer = lorry.client.post(f"{JOBS}/{job_id}/poll", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, "cancelled")

    def test_another_users_job_is_unknown(self, lorry: Installation) -> None:
        path = f"{JOBS}/{lorry.submit()}/poll"
        assert lorry.client.post(path, headers=lorry.as_user(BOB)).status_code == 404


class TestRetrying:
    def test_a_failed_job_is_queued_again(self, lorry: Installation) -> None:
        job_id = self._failed(lorry)
        answer = lorry.client.post(f"{JOBS}/{job_id}/retry", json={"from_checkpoint": False}, headers=lorry.as_user())
        data = answer.json()["data"]
        assert (answer.status_code, data["status"], data["error_message"]) == (200, "queued", None)
        assert lorry.jobs.get(job_id).resume_from == "scratch"

    def test_a_checkpoint_it_does_not_have_is_refused_by_name(self, lorry: Installation) -> None:
        path = f"{JOBS}/{self._failed(lorry)}/retry"
        answer = lorry.client.post(path, json={"from_checkpoint": "step-000500"}, headers=lorry.as_user())
        assert (answer.status_code, answer.json()["error"]) == (400, "CHECKPOINT_NOT_FOUND")
        assert answer.json()["details"][0]["field"] == "from_checkpoint"

    @pytest.mark.parametrize("wanted", ["../../etc", "step-1", 7, 0, "true", None])
    def test_a_checkpoint_is_named_as_checkpoints_are(self, lorry: Installation, wanted: object) -> None:
        path = f"{JOBS}/{self._failed(lorry)}/retry"
        answer = lorry.client.post(path, json={"from_checkpoint": wanted}, headers=lorry.as_user())
        assert answer.status_code == 400

    @pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.COMPLETED, JobStatus.CANCELLED])
    def test_a_job_that_has_not_failed_is_not(self, lorry: Installation, status: JobStatus) -> None:
        job_id = lorry.submit()
        if status is not JobStatus.QUEUED:
            lorry.jobs.save(dataclasses.replace(lorry.jobs.get(job_id), status=status))
        answer = lorry.client.post(f"{JOBS}/{job_id}/retry", headers=lorry.as_user())
        assert (answer.status_code, answer.json()["error"]) == (409, "JOB_NOT_FAILED")

    def test_another_users_job_is_unknown(self, lorry: Installation) -> None:
        path = f"{JOBS}/{self._failed(lorry)}/retry"
        assert lorry.client.post(path, headers=lorry.as_user(BOB)).status_code == 404

    @staticmethod
    def _failed(lorry: Installation) -> str:
        job_id = lorry.submit()
        job = lorry.jobs.get(job_id)
        lorry.jobs.save(job.ended(EndReason.TRAINER_FAILED, at=job.updated_at, exit_code=70))
        return job_id
