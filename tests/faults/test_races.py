"""Many at once: dispatchers, submissions, and cancels that race starts and retries (rows 20 and 21 of the plan)."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest

from orchestrator.adapters.sql import SqlJobStore, connect, migrate
from orchestrator.domain.container import LABEL_INSTANCE, LABEL_JOB
from orchestrator.domain.errors import SlotTaken, StaleJob
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.ports.job_store import JobFilter
from tests.factories import make_attempt, make_job

DISPATCHERS = 16
JOBS = 40
LIMIT = 2
POSTS = 50
ROUNDS = 200
RACERS = 8
NANO = 1e9


# -- slots ----------------------------------------------------------------------------------------------------------


class Dispatcher:
    """Starts any queued job of the user on any slot and ends it when it likes, with no regard for the others."""

    def __init__(self, url, seed):
        self.chance = random.Random(seed)  # noqa: S311 - nothing secret
        self.url = url
        self.held = []
        self.most_active = 0

    def run(self):
        with closing(connect(self.url)) as database:
            jobs = SqlJobStore(database)
            while queued := jobs.list(JobFilter(statuses=(JobStatus.QUEUED,)), page_size=JOBS).jobs:
                self.try_to_start(jobs, self.chance.choice(queued))
                self.most_active = max(self.most_active, len(jobs.active()))
                if self.chance.random() < 0.5:
                    self.end_held(jobs)
            self.end_held(jobs)
        return self.most_active

    def try_to_start(self, jobs, job):
        now = datetime.now(UTC)
        claimed = job.claimed(slot=self.chance.randint(1, LIMIT), devices=(), at=now)
        attempt = make_attempt(claimed, devices=())
        try:
            self.held.append(jobs.claim(claimed, attempt, status_event(job, claimed, "Claimed.")))
        except (SlotTaken, StaleJob):
            return

    def end_held(self, jobs):
        for job in self.held:
            jobs.save(job.ended(EndReason.LAUNCH_REFUSED, at=datetime.now(UTC)))
        self.held.clear()


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_sixteen_dispatchers_at_once_never_start_more_than_a_users_two_jobs(request, tmp_path, dialect):
    is_sqlite = dialect == "sqlite"
    url = f"sqlite:///{tmp_path / 'lorry.db'}" if is_sqlite else request.getfixturevalue("postgres").create()
    with closing(connect(url)) as database:
        migrate(database)
        jobs = SqlJobStore(database)
        for _ in range(JOBS):
            job = make_job(user_id="alice")
            jobs.add(job, status_event(None, job, "Submitted."))

        with ThreadPoolExecutor(DISPATCHERS) as pool:
            most_active = list(pool.map(lambda seed: Dispatcher(url, seed).run(), range(DISPATCHERS)))

        assert max(most_active) == LIMIT
        ended = jobs.list(JobFilter(statuses=(JobStatus.FAILED,)), page_size=JOBS).jobs
        assert {len(jobs.attempts(job.id)) for job in ended} == {1}
        assert len(ended) == JOBS


# -- submissions ----------------------------------------------------------------------------------------------------


def test_fifty_submissions_at_once_with_one_key_are_one_job(site, alice):
    dataset_id = alice.upload()

    def post(name):
        body = {"dataset_id": dataset_id, "type": "lora", "base_model": "lorry/tiny-sd15", "config": {}, "name": name}
        return alice.http.post("/training/submit", json=body, headers={"Idempotency-Key": "one-and-the-same"})

    with ThreadPoolExecutor(POSTS) as pool:
        answers = list(pool.map(post, ["a cat"] * POSTS))
    assert {answer.status_code for answer in answers} == {200}
    (job_id,) = {answer.json()["job_id"] for answer in answers}

    other = post("a dog")
    assert (other.status_code, other.json()["error"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert [job["id"] for job in alice.get("/training/jobs")] == [job_id]

    site.start("orchestrate")
    assert alice.wait(job_id, "completed")["attempt"] == 1


# -- cancel ---------------------------------------------------------------------------------------------------------


class Starts:
    """When the engine started containers of an installation, as its event stream tells; seconds since 1970 by job."""

    def __init__(self, client, instance):
        self.by_job = defaultdict(list)
        labelled = {"label": f"{LABEL_INSTANCE}={instance}", "event": "start"}
        self._stream = client.events(decode=True, filters=labelled)
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        for event in self._stream:
            self.by_job[event["Actor"]["Attributes"][LABEL_JOB]].append(event["timeNano"] / NANO)

    def close(self):
        self._stream.close()


def race(user, chance, dataset_id):
    """The id of a job that was cancelled at some instant of its start, its run or the wait for another attempt."""
    wish = chance.choice(["fake:hang=1", "fake:exit=137", "fake:seconds=20"])
    job_id = user.start(wish, dataset_id=dataset_id)
    threading.Event().wait(chance.random() ** 2)  # seconds, most of them early: that is where the races are
    answer = user.http.post(f"/training/jobs/{job_id}/cancel")
    assert answer.status_code == 200, answer.text
    user.wait(job_id, "cancelled")
    return job_id


def race_with_retry(user, chance, dataset_id):
    """The same for a failed job: its retry and the cancel of that retry go out together."""
    job_id = user.start("fake:exit=3", dataset_id=dataset_id)
    user.wait(job_id, "failed")
    with ThreadPoolExecutor(2) as pool:
        retried = pool.submit(user.http.post, f"/training/jobs/{job_id}/retry")
        is_cancelled = pool.submit(user.http.post, f"/training/jobs/{job_id}/cancel").result().is_success
        assert retried.result().status_code in (200, 202), retried.result().text
    user.wait(job_id, "cancelled" if is_cancelled else "failed")
    return job_id


@pytest.mark.slow
def test_two_hundred_cancels_race_starts_and_retries_and_no_container_starts_afterwards(install, engine, chance):
    installation = install(
        LORRY_SUBMIT_WAIT_SECONDS="0",
        LORRY_RETRY_DELAY_SECONDS="0.05",
        LORRY_MAX_RETRIES="100",
        LORRY_POLL_SECONDS="0.05",
    )
    installation.serve()
    installation.wait_until_ready()
    users = [installation.user(f"racer {number}") for number in range(RACERS)]
    datasets = [user.upload() for user in users]
    seeds = [chance.randrange(2**32) for _ in range(ROUNDS)]

    def one_round(number):
        user, dataset_id = users[number % RACERS], datasets[number % RACERS]
        kind = race_with_retry if number % 10 == 0 else race
        job_id = kind(user, random.Random(seeds[number]), dataset_id)  # noqa: S311 - nothing secret
        return user.job(job_id)

    with closing(Starts(engine.client, installation.instance)) as starts:
        with ThreadPoolExecutor(RACERS) as pool:
            jobs = list(pool.map(one_round, range(ROUNDS)))
        installation.wait_for_no_container()

    cancelled = [job for job in jobs if job["status"] == "cancelled"]
    assert len(cancelled) > ROUNDS / 2
    assert any(starts.by_job[job["id"]] for job in cancelled)
    assert any(not starts.by_job[job["id"]] for job in cancelled)
    for job in cancelled:
        ended_at = datetime.fromisoformat(job["completed_at"]).timestamp()
        assert all(started_at < ended_at for started_at in starts.by_job[job["id"]]), job
