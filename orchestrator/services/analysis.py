"""Jobs looked back on: what came of each, several side by side, and all of them counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.domain.analysis import Contrast, Margin, Result, contrasts, margin
from orchestrator.domain.curves import Curve
from orchestrator.domain.errors import Refused, Rejected, Violation
from orchestrator.domain.estimates import Tariff
from orchestrator.domain.events import JobEvent
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Job
from orchestrator.domain.statistics import Grouping, Tally
from orchestrator.ports.analysis_store import AnalysisStore, Scope
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobFilter, JobStore
from orchestrator.ports.record_store import RecordStore
from orchestrator.services.ownership import owned_job

_MOST_EVENTS = 10_000
_LATEST_EVENTS = 1_000
_USUAL_TIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job, what came of it, and what it cost so far; None without a price."""

    job: Job
    result: Result
    cost: float | None


@dataclass(frozen=True, slots=True)
class OutcomePage:
    outcomes: tuple[Outcome, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Story:
    """One job from its first step to its last."""

    outcome: Outcome
    curve: Curve
    events: Sequence[JobEvent]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Jobs in the order in which they were asked for; `margins` are those over the baseline, of all the others."""

    outcomes: Sequence[Outcome]
    curves: Mapping[str, Curve]  # by job id
    contrasts: Sequence[Contrast]
    baseline: str | None = None
    margins: Mapping[str, Margin] = field(default_factory=dict)  # by job id


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    scope: Scope
    all: Tally
    by_day: Mapping[str, Tally]
    by_base_model: Mapping[str, Tally]
    by_user: Mapping[str, Tally] | None  # None where only the caller's own jobs were counted
    tariff: Tariff


class Analysis:
    def __init__(
        self, *, jobs: JobStore, records: RecordStore, store: AnalysisStore, clock: Clock, tariff: Tariff
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._store = store
        self._clock = clock
        self._tariff = tariff

    def outcomes(self, jobs: Sequence[Job]) -> Sequence[Outcome]:
        """Of jobs that the caller may see, in their order."""
        results = self._store.results([job.id for job in jobs], now=self._clock.now())
        return [
            Outcome(job, result := results[job.id], self._tariff.cost(gpus=job.gpus, seconds=result.run_seconds))
            for job in jobs
        ]

    def list(self, identity: Identity, wanted: JobFilter, *, page: int, page_size: int) -> OutcomePage:
        """Of the caller's own jobs, whatever `wanted.user_id` says."""
        found = self._jobs.list(replace(wanted, user_id=identity.user_id), page=page, page_size=page_size)
        return OutcomePage(tuple(self.outcomes(found.jobs)), found.total)

    def story(self, identity: Identity, job_id: str, *, points: int) -> Story:
        """With a curve of about `points` points and the latest thousand events. Raises NotFound."""
        job = owned_job(self._jobs, identity, job_id)
        events = self._records.events(job.id, limit=_MOST_EVENTS)[-_LATEST_EVENTS:]
        (outcome,) = self.outcomes([job])
        return Story(outcome, self._records.curve(job.id, points=points), events)

    def compare(
        self, identity: Identity, job_ids: Sequence[str], *, points: int, baseline: str | None = None
    ) -> Comparison:
        """With curves of about `points` points each; the baseline stands in front where it is not among the jobs.

        Raises NotFound for the first that the caller may not see.
        """
        wanted = job_ids if baseline is None or baseline in job_ids else [baseline, *job_ids]
        jobs = [owned_job(self._jobs, identity, job_id) for job_id in dict.fromkeys(wanted)]
        curves = {job.id: self._records.curve(job.id, points=points) for job in jobs}
        outcomes = self.outcomes(jobs)
        return Comparison(outcomes, curves, contrasts(jobs), baseline, _margins(outcomes, baseline))

    def statistics(
        self, identity: Identity, *, since: datetime | None, until: datetime | None, of_everybody: bool
    ) -> Statistics:
        """Of the jobs submitted in that time, by default the last 30 days.

        Raises Rejected for a time that ends before it begins, and Refused when a user asks for everybody's.
        """
        if of_everybody and not identity.is_admin:
            raise Refused("Only administrators may count everybody's jobs.", code="ADMIN_ONLY")
        now = self._clock.now()
        until = until or now
        since = since or until - _USUAL_TIME
        if since >= until:
            message = "The time to count ends before it begins."
            raise Rejected(message, details=[Violation("since", message, since.isoformat())])
        scope = Scope(user_id=None if of_everybody else identity.user_id, since=since, until=until)
        return Statistics(
            scope=scope,
            all=self._store.tally(scope, now=now),
            by_day=self._store.tallies(scope, Grouping.DAY, now=now),
            by_base_model=self._store.tallies(scope, Grouping.BASE_MODEL, now=now),
            by_user=self._store.tallies(scope, Grouping.USER, now=now) if of_everybody else None,
            tariff=self._tariff,
        )


def _margins(outcomes: Sequence[Outcome], baseline: str | None) -> Mapping[str, Margin]:
    over = next((each for each in outcomes if each.job.id == baseline), None)
    if over is None:
        return {}
    return {
        each.job.id: margin(each.job, each.result, over=over.job, over_result=over.result)
        for each in outcomes
        if each is not over
    }
