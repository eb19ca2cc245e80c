"""Submitting: what is answered, when, and what is stored."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.submission import SUBMIT_THREADS
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.ports.job_store import JobFilter
from tests.unit.api.installation import BOB, Install, Installation, PlayedOrchestrator
from tests.waiting import eventually

SUBMIT, JOBS = "/api/training/submit", "/api/training/jobs"
MORE_THAN_ALL_THREADS = 45


def stored_jobs(lorry: Installation) -> int:
    return lorry.jobs.list(JobFilter()).total


def test_a_job_that_starts_is_answered_as_running(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    lorry.orchestrator.launches = PlayedOrchestrator.start
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ok"], body["success"], body["status"]) == (True, True, "running")
    assert lorry.jobs.get(body["job_id"]).status is JobStatus.RUNNING


def test_a_job_that_must_wait_is_answered_as_queued_at_once_and_for_what(lorry: Installation) -> None:
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    assert answer.status_code == 200
    assert answer.json()["status"] == "queued"
    assert answer.json()["message"].endswith("Now: no orchestrator has looked at the queue yet.")


def test_a_job_whose_launch_takes_too_long_is_answered_as_pending(install: Install) -> None:
    lorry = install(submit_wait_seconds=0.05)
    lorry.engine_answers("cpu-0")
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    assert answer.status_code == 200
    assert answer.json()["status"] == "pending"


def test_a_failed_launch_is_a_500_that_names_the_job_it_kept(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    lorry.orchestrator.launches = PlayedOrchestrator.fail_launch
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    body = answer.json()
    assert answer.status_code == 500
    assert (body["ok"], body["error"]) == (False, "LAUNCH_FAILED")
    assert body["message"] == "The training image is not on this machine."
    assert lorry.jobs.get(body["job_id"]).status is JobStatus.FAILED


def test_the_answer_comes_at_once_when_it_is_preferred(install: Install) -> None:
    lorry = install(submit_wait_seconds=60)
    lorry.engine_answers("cpu-0")
    headers = lorry.as_user() | {"Prefer": "handling=strict, Respond-Async"}
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=headers)
    assert answer.status_code == 202
    assert answer.json()["status"] == "pending"
    assert answer.headers["Preference-Applied"] == "respond-async"


def test_creating_a_job_answers_with_all_of_it_and_where_it_is(lorry: Installation) -> None:
    answer = lorry.client.post(JOBS, json=lorry.body(name="my cat"), headers=lorry.as_user())
    assert answer.status_code == 201
    job = answer.json()["data"]
    assert answer.headers["Location"] == f"/api/training/jobs/{job['id']}"
    assert lorry.client.get(answer.headers["Location"], headers=lorry.as_user()).json()["data"] == job


def test_a_waiting_submission_is_answered_when_the_server_stops(install: Install) -> None:
    lorry = install(submit_wait_seconds=60)
    lorry.engine_answers("cpu-0")
    threading.Timer(0.1, lorry.app.state.stopping.set).start()
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    assert answer.json()["status"] == "pending"


def test_a_store_that_hiccups_while_waiting_does_not_lose_the_accepted_job(lorry: Installation) -> None:
    lorry.engine_answers("cpu-0")
    answered = iter([StoreUnavailable("The job store did not answer.")])
    decided = lorry.services.jobs.decided

    def hiccup(job_id: str) -> Any:
        for error in answered:
            lorry.orchestrator.start(lorry.jobs.get(job_id))
            raise error
        return decided(job_id)

    lorry.services.jobs.decided = hiccup  # type: ignore[method-assign]
    answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user())
    assert answer.json()["status"] == "running"


def test_submissions_that_wait_for_the_store_do_not_keep_anybody_from_looking(lorry: Installation) -> None:
    released, body, headers = threading.Event(), lorry.body(), lorry.as_user() | {"Prefer": "respond-async"}

    def hold_up(*_: object) -> None:
        released.wait(60)

    lorry.orchestrator.launches = hold_up
    with lorry.client as client, ThreadPoolExecutor(MORE_THAN_ALL_THREADS + 1) as pool:
        try:
            submitting = [
                pool.submit(client.post, SUBMIT, json=body, headers=headers) for _ in range(MORE_THAN_ALL_THREADS)
            ]
            waiting = lorry.app.state.submit_threads.statistics
            eventually(lambda: waiting().tasks_waiting == MORE_THAN_ALL_THREADS - SUBMIT_THREADS)
            assert pool.submit(client.get, JOBS, headers=headers).result(timeout=30).status_code == 200
        finally:
            released.set()
        assert {answer.result().status_code for answer in submitting} == {202}


def test_texts_are_kept_as_sent(lorry: Installation) -> None:
    name, word = "گربه‌ی من", "گربه sks"
    answer = lorry.client.post(JOBS, json=lorry.body(name=name, trigger_words=[word]), headers=lorry.as_user())
    assert answer.json()["data"]["name"] == name
    assert answer.json()["data"]["trigger_words"] == [word]
    assert name in answer.text  # UTF-8, not escapes


class TestIdempotency:
    def test_the_same_key_and_body_are_one_job(self, lorry: Installation) -> None:
        body, headers = lorry.body(), lorry.as_user() | {"Idempotency-Key": "k-1"}
        first = lorry.client.post(SUBMIT, json=body, headers=headers).json()
        spelled_out = body | {"config": {"steps": 1000}, "name": None}
        second = lorry.client.post(JOBS, json=spelled_out, headers=headers).json()
        assert first["job_id"] == second["data"]["id"]
        assert stored_jobs(lorry) == 1

    def test_the_same_key_with_another_body_is_a_conflict(self, lorry: Installation) -> None:
        headers = lorry.as_user() | {"Idempotency-Key": "k-1"}
        body = lorry.body()
        lorry.client.post(SUBMIT, json=body, headers=headers)
        answer = lorry.client.post(SUBMIT, json=body | {"name": "another"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert stored_jobs(lorry) == 1

    def test_users_do_not_share_keys(self, lorry: Installation) -> None:
        key = {"Idempotency-Key": "k-1"}
        lorry.client.post(SUBMIT, json=lorry.body(), headers=lorry.as_user() | key)
        body = lorry.body(dataset_id=lorry.dataset(BOB))
        assert lorry.client.post(SUBMIT, json=body, headers=lorry.as_user(BOB) | key).status_code == 200
        assert stored_jobs(lorry) == 2

    @pytest.mark.parametrize("key", ["", "two words", "x" * 201])
    def test_a_key_must_be_short_and_visible(self, lorry: Installation, key: str) -> None:
        headers = lorry.as_user() | {"Idempotency-Key": key}
        answer = lorry.client.post(SUBMIT, json=lorry.body(), headers=headers)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["field"] == "Idempotency-Key"


class TestDryRun:
    def test_it_says_what_would_happen_and_stores_nothing(self, lorry: Installation) -> None:
        lorry.engine_answers("cpu-0")
        body = lorry.body(dataset_id=lorry.dataset(items=25), config={"steps": 100, "batch_size": 4})
        for path in (SUBMIT, JOBS):
            answer = lorry.client.post(f"{path}?dry_run=true", json=body, headers=lorry.as_user())
            assert answer.status_code == 200
            plan = answer.json()["data"]
            assert (plan["item_count"], plan["train_count"], plan["val_count"]) == (25, 23, 2)
            assert (plan["total_steps"], plan["total_epochs"]) == (100, 18)
            assert plan["config"]["lora_rank"] == 16
            assert (plan["starts_now"], plan["queue"]) == (True, None)
        assert stored_jobs(lorry) == 0

    def test_it_says_why_the_job_would_wait(self, lorry: Installation) -> None:
        lorry.engine_answers()
        answer = lorry.client.post(f"{SUBMIT}?dry_run=true", json=lorry.body(), headers=lorry.as_user())
        plan = answer.json()["data"]
        assert plan["starts_now"] is False
        assert plan["queue"]["reason"] == "no GPU or CPU slot is free"

    def test_it_takes_nothing_from_the_allowance_of_submissions(self, install: Install) -> None:
        lorry = install(submit_rate="1/minute")
        body = lorry.body()
        for _ in range(3):
            answer = lorry.client.post(f"{SUBMIT}?dry_run=true", json=body, headers=lorry.as_user())
            assert answer.status_code == 200
        assert lorry.client.post(SUBMIT, json=body, headers=lorry.as_user()).status_code == 200

    def test_it_refuses_what_a_submission_refuses(self, lorry: Installation) -> None:
        body = lorry.body(dataset_id=lorry.dataset(BOB))
        answer = lorry.client.post(f"{SUBMIT}?dry_run=true", json=body, headers=lorry.as_user())
        assert answer.status_code == 403


def test_a_model_outside_the_catalogue_is_refused(lorry: Installation) -> None:
    answer = lorry.client.post(SUBMIT, json=lorry.body(base_model="evil/model"), headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (400, "MODEL_NOT_ALLOWED")
    assert answer.json()["details"][0]["field"] == "base_model"


def test_an_unknown_dataset_is_a_404_and_anothers_a_403(lorry: Installation) -> None:
    unknown = lorry.body(dataset_id="5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11")
    answer = lorry.client.post(SUBMIT, json=unknown, headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (404, "DATASET_NOT_FOUND")
    answer = lorry.client.post(SUBMIT, json=lorry.body(dataset_id=lorry.dataset(BOB)), headers=lorry.as_user())
    assert (answer.status_code, answer.json()["error"]) == (403, "DATASET_FORBIDDEN")
