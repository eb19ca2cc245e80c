"""Everything at once for a minute (row 50 of the fault plan): many short jobs, a storm of faults, nothing leaked."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import pytest
from docker.errors import APIError

from tests.faults.invariants import look, never_allowed

JOBS = 60
USERS = 5
WITH_KILLS_SECONDS = 25.0
WITHOUT_KILLS_SECONDS = 25.0  # one orchestrator lives through these, so that what it leaks can be seen
ALL_ENDED_WITHIN_SECONDS = 120.0
# Pools grow with use, to a fixed size; what grows with every pass or fault goes beyond it. docker-py keeps a connection
# for each of the last 25 paths it asked for, and the orchestrator has two clients; the API has 40 threads for requests.
MORE_FILES = 2 * 25 + 20
MORE_THREADS = 40 + 5
ENDINGS = {"completed": "fake:seconds=1", "failed": "fake:exit=3"}


class Storm:
    """Random faults to an installation behind a proxy, one at a time; some to one of `jobs`, by id their users."""

    def __init__(self, installation, proxy, client, chance, jobs):
        self.installation = installation
        self.proxy = proxy
        self.client = client
        self.chance = chance
        self.jobs = jobs
        self.cancelled = set()
        self.faults = [
            self.take_the_engine_away,
            self.hang,
            self.lose_an_answer,
            self.cut_an_answer,
            self.hurt_a_container,
            self.hurt_a_container,
            self.cancel_a_job,
        ]

    def rage(self, seconds, more_faults=()):
        over_at = time.monotonic() + seconds
        while time.monotonic() < over_at:
            self.chance.choice([*self.faults, *more_faults])()
            assert not (broken := list(never_allowed(look(self.installation)))), broken
            self.pause(1.0)

    def pause(self, longest_seconds):
        threading.Event().wait(self.chance.uniform(0.1, longest_seconds))

    def take_the_engine_away(self):
        self.proxy.go_away()
        self.pause(1.5)
        self.proxy.come_back()

    def hang(self):
        self.proxy.hang(self.chance.choice(["/create", "/start", "/json", "DELETE", ""]))
        self.pause(1.5)
        self.proxy.recover()

    def lose_an_answer(self):
        self.proxy.lose(self.chance.choice(["POST .*/create", "POST .*/start", "DELETE", "POST .*/kill"]))

    def cut_an_answer(self):
        answer = self.chance.choice(["/json", "/logs", "/info", "/events"])
        self.proxy.cut(answer, after_bytes=self.chance.randrange(2_000))

    def hurt_a_container(self):
        containers = self.installation.containers()
        if containers:
            container = self.chance.choice(containers)["Id"]
            with suppress(APIError):  # it may have ended by itself
                self.chance.choice(
                    [
                        lambda: self.client.remove_container(container, force=True),
                        lambda: self.client.kill(container, "SIGKILL"),
                        lambda: self.client.kill(container, "SIGTERM"),
                        lambda: self.client.pause(container),
                    ]
                )()

    def cancel_a_job(self):
        job_id = self.chance.choice(list(self.jobs))
        if self.jobs[job_id].http.post(f"/training/jobs/{job_id}/cancel").is_success:
            self.cancelled.add(job_id)

    def kill_the_orchestrator(self):
        self.installation.stop_orchestrators(SIGKILL)
        return self.installation.start("orchestrate")


@dataclass(frozen=True)
class Footprint:
    """What a process holds of the machine."""

    files: int
    threads: int

    @classmethod
    def of(cls, process):
        folder = Path(f"/proc/{process.popen.pid}")
        return cls(len(list((folder / "fd").iterdir())), len(list((folder / "task").iterdir())))


def assert_has_leaked_nothing(process, before):
    assert process.is_alive, process.output.read_text()
    now = Footprint.of(process)
    assert now.files <= before.files + MORE_FILES, (before, now)
    assert now.threads <= before.threads + MORE_THREADS, (before, now)


def submit_all(users):
    """(user, expected status) by job id; every tenth job is one that fails."""
    datasets = [user.upload() for user in users]
    jobs = {}
    for number in range(JOBS):
        user, dataset_id = users[number % USERS], datasets[number % USERS]
        status = "failed" if number % 10 == 9 else "completed"
        jobs[user.start(ENDINGS[status], dataset_id=dataset_id)] = (user, status)
    return jobs


@pytest.mark.slow
def test_a_minute_of_random_faults_loses_no_job_and_leaks_nothing(install, engine, engine_proxy, chance):
    installation = install(LORRY_DOCKER_HOST=engine_proxy.url, LORRY_SUBMIT_WAIT_SECONDS="0", LORRY_MAX_RETRIES="100")
    api = installation.serve("api")
    jobs = submit_all([installation.user(f"user {number}") for number in range(USERS)])
    installation.start("orchestrate")
    installation.wait_until_ready()
    storm = Storm(
        installation, engine_proxy, engine.client, chance, {job_id: user for job_id, (user, _) in jobs.items()}
    )
    api_before = Footprint.of(api)

    storm.rage(WITH_KILLS_SECONDS, [storm.kill_the_orchestrator, storm.kill_the_orchestrator])
    orchestrator = storm.kill_the_orchestrator()
    installation.wait_until_ready()
    orchestrator_before = Footprint.of(orchestrator)
    storm.rage(WITHOUT_KILLS_SECONDS)
    engine_proxy.recover()

    for job_id, (user, status) in jobs.items():
        expected = [status, "cancelled"] if job_id in storm.cancelled else [status]
        user.wait(job_id, *expected, within_seconds=ALL_ENDED_WITHIN_SECONDS)
    installation.wait_for_no_container()
    assert_has_leaked_nothing(api, api_before)
    assert_has_leaked_nothing(orchestrator, orchestrator_before)
