"""What streams ask the store besides a job and its records: what changed, and where everything ends right now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from orchestrator.domain.events import Metric


class Pulse(NamedTuple):
    """Differs from an earlier one of the same job whenever something was stored for the job in between."""

    user_id: str
    version: int
    attempt: int
    events_offset: int  # of the newest attempt, as is
    log_bytes: int


class Revocations(NamedTuple):
    """`newest` is the id of the last entry of the audit log that was looked at."""

    newest: int
    user_ids: frozenset[str]


class NewsStore(Protocol):
    """Errors of every method: StoreUnavailable."""

    def pulses(self, *, job_ids: Collection[str], user_ids: Collection[str], after_event: int) -> Mapping[str, Pulse]:
        """Of these jobs; and of these users' that are open, or have an event with a greater id than `after_event`."""

    def newest_event(self) -> int:
        """The greatest id of all jobs' history, 0 for none."""

    def metrics_after(self, job_id: str, *, attempt: int, step: int, limit: int) -> Sequence[Metric]:
        """The rows behind that one, in order of attempt and step."""

    def newest_metric(self, job_id: str) -> tuple[int, int]:
        """Attempt and step of the last row in that order, (0, 0) for none."""

    def newest_event_of(self, job_id: str, *, up_to: int | None = None) -> tuple[int, int]:
        """Id and attempt of a job's last event, or of its last up to an id; (0, 0) for none."""

    def revocations(self, *, after: int | None) -> Revocations:
        """Whose tokens were revoked behind that entry of the audit log; None looks from now on, and finds nobody."""
