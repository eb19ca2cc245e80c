"""What must be true of an installation whatever was done to it: checked after every fault test, and during some."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore, connect
from orchestrator.adapters.sql.tables import gpu_leases
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.container import LABEL_ATTEMPT, LABEL_JOB
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Attempt, Job
from orchestrator.domain.lifecycle import ALLOWED, JobStatus
from orchestrator.ports.job_store import JobFilter
from tests.e2e.installation import Installation
from tests.waiting import eventually

SLOTS_A_USER = 2
LIVE = ("running", "paused", "restarting")
_ALL = 1_000_000


@dataclass(frozen=True)
class Story:
    """All that is recorded about one job."""

    job: Job
    attempts: Sequence[Attempt]
    events: Sequence[JobEvent]
    artifacts: Sequence[Artifact]


@dataclass(frozen=True)
class World:
    """What the store says, and what the engine says."""

    stories: dict[str, Story]
    leases: dict[str, str]  # device -> job
    containers: Sequence[dict[str, Any]]


def check(installation: Installation) -> None:
    """Fails the test when an invariant is broken, or does not come true in time with an orchestrator at work."""
    if not any(process.orchestrates and process.is_alive for process in installation.processes):
        installation.start("orchestrate")
    eventually(
        lambda: not broken(installation),
        what=f"the end of what is broken: {broken(installation)}",
    )


def broken(installation: Installation) -> list[str]:
    """Every invariant that is broken right now, in words; some are for the moment between two steps of a pass."""
    world = look(installation)
    assert not (never := list(never_allowed(world))), never
    return [*unsettled(world), *unproven(world, installation)]


def look(installation: Installation) -> World:
    with closing(connect(installation.store_url)) as database:
        jobs, records = SqlJobStore(database), SqlRecordStore(database)
        listed = jobs.list(JobFilter(), page_size=_ALL).jobs
        stories = {
            job.id: Story(job, jobs.attempts(job.id), records.events(job.id, limit=_ALL), records.artifacts(job.id))
            for job in listed
        }
        with database.read() as connection:
            leases = {row.device: row.job_id for row in connection.execute(sa.select(gpu_leases))}
    return World(stories, leases, installation.containers())


def never_allowed(world: World) -> Iterator[str]:
    """What no instant may show."""
    attempts_alive = Counter(_attempt_of(each) for each in world.containers if each["State"] in LIVE)
    yield from (f"{count} live containers of {name}" for name, count in attempts_alive.items() if count > 1)
    active = Counter(story.job.user_id for story in world.stories.values() if story.job.status.is_active)
    yield from (f"{count} slots of {user}" for user, count in active.items() if count > SLOTS_A_USER)
    for story in world.stories.values():
        yield from _illegal_steps(story)
        yield from _gaps_in_attempts(story)


def unsettled(world: World) -> Iterator[str]:
    """What is only allowed between two steps of a pass."""
    open_attempts = {
        (story.job.id, str(story.job.attempt)) for story in world.stories.values() if story.job.status.is_active
    }
    present = {_attempt_of(each) for each in world.containers}
    yield from (f"container {name} of no open attempt" for name in present - open_attempts)
    for story in world.stories.values():
        job = story.job
        if job.status is JobStatus.RUNNING and (job.id, str(job.attempt)) not in present:
            yield f"running job {job.id} has no container"
        if _told(story) != (job.status, job.attempt):
            yield f"history and attempts of job {job.id} tell {_told(story)}, the job {job.status, job.attempt}"
    for device, job_id in world.leases.items():
        if not world.stories[job_id].job.status.is_active:
            yield f"{device} is leased to job {job_id}, which is {world.stories[job_id].job.status}"


def unproven(world: World, installation: Installation) -> Iterator[str]:
    """Completed jobs without an adapter file that is the one which was recorded."""
    for story in world.stories.values():
        if story.job.status is JobStatus.COMPLETED and not _has_adapter(story, installation):
            yield f"completed job {story.job.id} has no verified adapter"


def _has_adapter(story: Story, installation: Installation) -> bool:
    folder = installation.data_dir / "artifacts" / story.job.id
    adapters = [
        artifact
        for artifact in story.artifacts
        if artifact.kind is ArtifactKind.ADAPTER and artifact.attempt == story.job.attempt
    ]
    return bool(adapters) and all(
        hashlib.sha256((folder / adapter.path).read_bytes()).hexdigest() == adapter.sha256 for adapter in adapters
    )


def _illegal_steps(story: Story) -> Iterator[str]:
    """The history is a path: it begins with `queued`, and every step is an arrow that begins where the last ended."""
    path = [(event.old_status, event.new_status) for event in story.events if event.new_status is not None]
    expected: str | None = None
    for old, new in path:
        if old != expected or not _is_arrow(old, new):
            yield f"history of job {story.job.id} goes {path}"
            return
        expected = new


def _told(story: Story) -> tuple[str | None, int]:
    """Where the history ends, and how many attempts there are."""
    statuses = [event.new_status for event in story.events if event.new_status is not None]
    return (statuses[-1] if statuses else None), len(story.attempts)


def _is_arrow(old: str | None, new: str | None) -> bool:
    if old is None or new is None:
        return old is None and new == JobStatus.QUEUED
    return JobStatus(new) in ALLOWED[JobStatus(old)]


def _gaps_in_attempts(story: Story) -> Iterator[str]:
    numbers = [attempt.number for attempt in story.attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"attempts of job {story.job.id} are {numbers}"


def _attempt_of(container: dict[str, Any]) -> tuple[str, str]:
    return container["Labels"][LABEL_JOB], container["Labels"][LABEL_ATTEMPT]
