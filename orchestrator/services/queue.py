"""The queue as those who wait in it see it: their places, what holds them, and when it will be their turn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.at_once import needs_time
from orchestrator.domain.holds import ITS_TURN, everything_stands
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.domain.scheduling import Capacity, Place, QueuedJob, SchedulingPolicy, Wait, survey
from orchestrator.domain.waiting_time import waits
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import EngineStatus, RecordStore
from orchestrator.services.models import ModelHolds
from orchestrator.services.readiness import STALE_AFTER
from orchestrator.services.recent_runs import RecentRuns
from orchestrator.services.schedule import capacity_of


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """Waiting jobs, the caller's or everybody's, first to start first, and how full the machine is."""

    places: Mapping[str, Place]  # by job id
    waiting: int  # everybody's jobs
    active: int
    devices: int
    free_devices: int
    suspect_devices: int  # failed their last job; handed out last
    problem: str | None  # what keeps every job from starting
    unreachable_since: datetime | None  # since when the engine has not answered


class Queue:
    def __init__(
        self,
        *,
        jobs: JobStore,
        records: RecordStore,
        clock: Clock,
        policy: SchedulingPolicy,
        model_holds: ModelHolds,
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._recent_runs = RecentRuns(jobs=jobs, clock=clock)
        self._clock = clock
        self._policy = policy
        self._model_holds = model_holds

    def look(self, identity: Identity, *, is_of_everybody: bool = False) -> QueueView:
        """`is_of_everybody`: the places of all users' jobs, for an administrator."""
        status, waiting = self._records.engine_status(), self._jobs.queue()
        capacity = self._capacity(status)
        own = {job.id for job in waiting if is_of_everybody or job.user_id == identity.user_id}
        return QueueView(
            places=self._places(own, waiting, capacity, self._problem(status)),
            waiting=len(waiting),
            active=len(capacity.active),
            devices=len(capacity.devices),
            free_devices=len(capacity.free),
            suspect_devices=len(capacity.suspects),
            problem=self._problem(status) or capacity.rules.closed_because,
            unreachable_since=status.unreachable_since if status else None,
        )

    def places(self, jobs: Iterable[Job]) -> Mapping[str, Place]:
        """By job id. A job that left the queue since it was loaded has none."""
        needs_time()  # for the whole queue, and the folder of models
        status = self._records.engine_status()
        wanted = {job.id for job in jobs}
        return self._places(wanted, self._jobs.queue(), self._capacity(status), self._problem(status))

    def place_if_submitted(self, job: Job) -> Place | None:
        """Where a job that is not stored would wait; None when it would start at once."""
        status = self._records.engine_status()
        problem, capacity = self._problem(status), self._capacity(status)
        waiting = [*self._jobs.queue(), QueuedJob.of(job)]
        if problem is None and self._starts_now(job, waiting, capacity):
            return None
        return self._places({job.id}, waiting, capacity, problem)[job.id]

    def must_wait(self, job: Job) -> bool:
        """Whether a queued job will not start in the next pass."""
        status = self._records.engine_status()
        if self._problem(status) is not None:
            return True
        capacity = self._capacity(status)
        # What cannot start alone cannot start in company either, and needs no look at the whole queue.
        alone = self._starts_now(job, [QueuedJob.of(job)], capacity)
        return not (alone and self._starts_now(job, self._jobs.queue(), capacity))

    def device_count(self) -> int | None:
        """Devices there are for the biggest job; None while nobody knows."""
        status = self._records.engine_status()
        return len(status.devices) or None if status else None

    def _capacity(self, status: EngineStatus | None) -> Capacity:
        return capacity_of(status.devices if status else (), jobs=self._jobs, records=self._records)

    def _problem(self, status: EngineStatus | None) -> str | None:
        """What keeps every job from starting."""
        if status is None:
            return "no orchestrator has looked at the queue yet"
        if self._clock.now() - status.last_pass_at > STALE_AFTER:
            return f"no orchestrator has looked at the queue since {status.last_pass_at.isoformat(timespec='seconds')}"
        return status.problem

    def _starts_now(self, job: Job, waiting: Sequence[QueuedJob], capacity: Capacity) -> bool:
        holds = self._model_holds.reasons()
        turns = survey(waiting, capacity, now=self._clock.now(), policy=self._policy, model_holds=holds)
        return any(turn.job.id == job.id and turn.starts_now for turn in turns)

    def _places(
        self, wanted: Collection[str], waiting: Sequence[QueuedJob], capacity: Capacity, problem: str | None
    ) -> Mapping[str, Place]:
        if not wanted:
            return {}
        now = self._clock.now()
        holds = self._model_holds.reasons()
        turns = survey(waiting, capacity, now=now, policy=self._policy, model_holds=holds)
        stopped = everything_stands(problem) if problem is not None else None
        told: Mapping[str, Wait] = {}
        if stopped is None:
            told = waits(turns, capacity, self._recent_runs.read(), now=now, policy=self._policy)
        return {
            turn.job.id: Place(
                position=turn.position,
                hold=stopped or turn.hold or ITS_TURN,
                waiting_since=turn.job.updated_at,
                wait=Wait() if turn.job.base_model in holds else told.get(turn.job.id, Wait()),
                user_id=turn.job.user_id,
                priority=turn.job.priority,
            )
            for turn in turns
            if turn.job.id in wanted
        }
