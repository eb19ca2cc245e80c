"""Questions about many jobs at once, which the database answers itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from orchestrator.domain.analysis import Result
from orchestrator.domain.statistics import Grouping, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which jobs are looked at: those submitted from `since` on and before `until`."""

    user_id: str | None  # None: everybody's
    since: datetime
    until: datetime


class AnalysisStore(Protocol):
    """Errors of every method: StoreUnavailable when the database does not answer."""

    def tally(self, scope: Scope, *, now: datetime) -> Tally: ...

    def tallies(self, scope: Scope, by: Grouping, *, now: datetime, limit: int = 1_000) -> Mapping[str, Tally]:
        """By day in order of days, else those with the most jobs first."""

    def results(self, job_ids: Collection[str], *, now: datetime) -> Mapping[str, Result]:
        """By job id; every one that was asked for is there."""
