"""What is new about jobs since somebody last looked. Asked over and over by streams; each answer is bounded."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.identity import Identity
from orchestrator.domain.job import Attempt
from orchestrator.domain.streaming import Cursor, LogLines, News, Told, UserCursor, end_of, standing_of
from orchestrator.ports.clock import Clock
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.news_store import NewsStore, Pulse, Revocations
from orchestrator.ports.record_store import RecordStore
from orchestrator.ports.workspace import Workspace
from orchestrator.services.ownership import owned_job

# Of one answer. A row of the history may hold 64 KiB of what a trainer wrote.
EVENTS_LIMIT = 100
METRICS_LIMIT = 500
LOG_LIMIT_BYTES = 64 * 1024


class Streams:
    def __init__(
        self, *, jobs: JobStore, records: RecordStore, news: NewsStore, workspace: Workspace, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._records = records
        self._news = news
        self._workspace = workspace
        self._clock = clock

    def require(self, identity: Identity, job_id: str) -> None:
        """Raises NotFound for an unknown job, and for another user's."""
        owned_job(self._jobs, identity, job_id)

    def news(self, job_id: str, after: Cursor) -> News:
        """What came behind `after`, as much as one answer holds. Raises NotFound for a job that was deleted."""
        # The job is read first: once it has ended, everything of it is stored.
        job = self._jobs.get(job_id)
        attempts = self._jobs.attempts(job_id)
        newest = attempts[-1] if attempts else None
        events = self._records.events(job_id, after_id=after.event_id, limit=EVENTS_LIMIT)
        metrics = self._news.metrics_after(job_id, attempt=after.attempt, step=after.step, limit=METRICS_LIMIT)
        told, cursor = _told([*events, *metrics], after)
        lines, log_bytes, is_log_all = self._log(job_id, newest, after.log_bytes)
        if log_bytes != cursor.log_bytes:
            cursor = replace(cursor, log_bytes=log_bytes)
        if lines is not None:
            told.append(Told(piece=lines, cursor=cursor))
        is_all = len(events) < EVENTS_LIMIT and len(metrics) < METRICS_LIMIT and is_log_all
        if is_all:
            standing = standing_of(job, newest)
            if standing.digest != cursor.standing:
                cursor = cursor.after(standing)
                told.append(Told(piece=standing, cursor=cursor))
            if job.status.is_final and not cursor.is_end:
                end = end_of(job)
                cursor = cursor.after(end)
                told.append(Told(piece=end, cursor=cursor))
        return News(told=tuple(told), cursor=cursor, is_all=is_all, is_open=not job.status.is_final)

    def now(self, job_id: str) -> Cursor:
        """Behind everything but where the job stands. Raises NotFound."""
        job = self._jobs.get(job_id)
        attempts = self._jobs.attempts(job.id)
        event_id, _ = self._news.newest_event_of(job_id)
        attempt, step = self._news.newest_metric(job_id)
        log_bytes = attempts[-1].log_bytes if attempts else 0
        return Cursor(event_id=event_id, attempt=attempt, step=step, log_bytes=log_bytes)

    def has_told_all(self, job_id: str, cursor: Cursor) -> bool:
        """Whether nothing is behind this cursor, nor will be. Raises NotFound."""
        news = self.news(job_id, cursor)
        return news.is_all and not news.told and not news.is_open

    def settled_at(self, job_id: str, event_id: int) -> Cursor:
        """Where everybody is in a job that nobody's cursor has a place for: behind what it was when this event was new.

        No attempt of it was under way then. Before its first event that is its beginning.
        """
        last_id, number = self._news.newest_event_of(job_id, up_to=event_id)
        attempts = {attempt.number: attempt for attempt in self._jobs.attempts(job_id)} if last_id else {}
        return Cursor.at_end_of(attempts.get(number), event_id=last_id)

    def places(self, user_id: str, after: UserCursor) -> Mapping[str, Cursor]:
        """Where somebody with this cursor goes on, in every job of the user that may have news."""
        changed = self.pulses(job_ids=(), user_ids=[user_id], after_event=after.settled)
        own = self.pulses(job_ids=list(after.jobs), user_ids=(), after_event=0)
        places = {job_id: at for job_id, at in after.jobs.items() if job_id in own and own[job_id].user_id == user_id}
        return {job_id: self.settled_at(job_id, after.settled) for job_id in changed if job_id not in places} | places

    def places_now(self, user_id: str, settled: int) -> Mapping[str, Cursor]:
        """Behind everything but where they stand, in the user's jobs that are open or changed since that event."""
        changed = self.pulses(job_ids=(), user_ids=[user_id], after_event=settled)
        return {job_id: replace(self.now(job_id), is_end=True) for job_id in changed}

    def seconds_left(self, identity: Identity) -> float:
        """Until the caller's token expires; infinite for one that does not."""
        if identity.expires_at is None:
            return math.inf
        return (identity.expires_at - self._clock.now()).total_seconds()

    def pulses(self, *, job_ids: Collection[str], user_ids: Collection[str], after_event: int) -> Mapping[str, Pulse]:
        return self._news.pulses(job_ids=job_ids, user_ids=user_ids, after_event=after_event)

    def newest_event(self) -> int:
        return self._news.newest_event()

    def revocations(self, after: int | None) -> Revocations:
        return self._news.revocations(after=after)

    def _log(self, job_id: str, attempt: Attempt | None, offset: int) -> tuple[LogLines | None, int, bool]:
        """Lines from there, the place behind them, and whether those are all.

        Nothing behind the stored place is read: what a crash left there is cut off and written again.
        """
        end = attempt.log_bytes if attempt is not None else 0
        if offset > end:  # somebody removed the log, and it began anew
            offset = 0
        limit_bytes = min(LOG_LIMIT_BYTES, end - offset)
        lines = self._workspace.log_lines(job_id, offset=offset, limit_bytes=limit_bytes) if limit_bytes else ()
        if not lines:  # nothing new, or retention took the log away
            return None, end, True
        behind = offset + sum(map(len, lines))
        texts = tuple(line.decode("utf-8", errors="replace").removesuffix("\n") for line in lines)
        return LogLines(job_id=job_id, lines=texts), behind, behind >= end


def _told(pieces: list[JobEvent | Metric], cursor: Cursor) -> tuple[list[Told], Cursor]:
    told = []
    for piece in pieces:
        cursor = cursor.after(piece)
        told.append(Told(piece=piece, cursor=cursor))
    return told, cursor
