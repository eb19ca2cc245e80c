"""Whether a failed attempt is made up for by another one, when, and with which memory profile. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.back_off import BackOff
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus, RetryClass
from orchestrator.domain.memory import MemoryProfile, lower
from orchestrator.domain.training import TrainingType


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how soon. The delays are those of Kubernetes' Job controller: doubled each time, capped."""

    max_retries: int = 3  # of attempts that infrastructure broke
    first_delay_seconds: float = 10.0
    longest_delay_seconds: float = 360.0

    def delay_seconds(self, retries: int, jitter: float) -> float:
        """The pause before retry number `retries` + 1; `jitter` in 0..1 adds up to a tenth, so that jobs spread."""
        back_off = BackOff(self.first_delay_seconds, self.longest_delay_seconds)
        return back_off.pause_seconds(retries) * (1 + jitter / 10)


@dataclass(frozen=True, slots=True)
class Retry:
    """Another attempt, not before `at`."""

    at: datetime
    memory_profile: MemoryProfile
    note: str  # what the next attempt does differently, or when it comes


def retry_after(job: Job, reason: EndReason, *, now: datetime, policy: RetryPolicy, jitter: float) -> Retry | None:
    """The retry that an attempt's end calls for; None when it ends the job.

    Infrastructure errors are retried up to the policy's limit. Out of memory climbs the ladder of profiles, one step
    in a job's life: what does not fit twice is the user's to change.
    """
    if job.is_cancel_requested or job.status is JobStatus.QUEUED:
        return None
    match ENDINGS[reason].retry:
        case RetryClass.INFRASTRUCTURE if job.retries < policy.max_retries:
            delay = policy.delay_seconds(job.retries, jitter)
            note = f"Tried again in {delay:.0f} s (retry {job.retries + 1} of {policy.max_retries})."
            return Retry(now + timedelta(seconds=delay), job.memory_profile, note)
        case RetryClass.MEMORY if (
            job.memory_profile is MemoryProfile.NORMAL and job.type is not TrainingType.DIAGNOSTIC
        ):
            profile = lower(job.training_config, job.memory_profile)
            if profile is None:
                return None
            return Retry(now, profile, f"Tried again at once with the memory profile {profile}.")
        case _:
            return None
