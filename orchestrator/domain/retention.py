"""How long what jobs left behind is kept. The job's row and its adapter files are kept whatever the policy says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.events import JobEvent

GAP = "gap"  # type of the event that says what is missing from a job's records


class Kind(StrEnum):
    """What ages. `outputs` is what the container wrote, a copy of which became the artifacts when it ended."""

    METRICS = "metrics"
    EVENTS = "events"
    LOGS = "logs"
    OUTPUTS = "outputs"
    CHECKPOINTS = "checkpoints"


# What users read line by line: where some of it is gone, a gap event in the job's history says so.
_MARKED = frozenset({Kind.METRICS, Kind.EVENTS, Kind.LOGS, Kind.CHECKPOINTS})


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days by kind, counted from a job's end; 0 keeps for ever."""

    days: Mapping[Kind, int]

    def ended_before(self, kind: Kind, now: datetime) -> datetime | None:
        """Jobs that ended before this instant lose that kind; None: nobody does."""
        days = self.days.get(kind, 0)
        return now - timedelta(days=days) if days else None


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be: rows of the store have no size of their own."""

    kind: str
    count: int = 0
    size_bytes: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.kind, self.count + other.count, self.size_bytes + other.size_bytes)


def totals(removed: Iterable[Removed]) -> list[Removed]:
    """One of each kind, in order of their first mention."""
    by_kind: dict[str, Removed] = {}
    for each in removed:
        by_kind[each.kind] = by_kind.get(each.kind, Removed(each.kind)) + each
    return list(by_kind.values())


def removal_mark(job_id: str, kind: Kind, *, until: datetime, days: int, now: datetime) -> JobEvent | None:
    """The mark that retention leaves in a job's history; None for what nobody reads. `until` is the job's end."""
    if kind not in _MARKED:
        return None
    when = until.isoformat(timespec="seconds")
    return JobEvent(
        job_id=job_id,
        attempt=0,
        type=GAP,
        message=f"The {kind} until {when} were removed: they are kept for {days} days.",
        data={"removed": kind, "until": when},
        at=now,
    )
