"""How much of a job somebody has seen, and what they have not: the judgement behind streams that resume."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.domain.errors import Rejected
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.job import Attempt, Job, Progress

# What a cursor looks like: five numbers (the fifth in hexadecimal digits), and `end` behind a terminal event.
_NUMBER = r"([0-9]{1,16})"
_CURSOR = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.{_NUMBER}\.([0-9a-f]{{8}})(\.end)?"
_ONE_JOB = re.compile(_CURSOR)
_ENTRY = re.compile(rf"([0-9a-f]{{32}})\.{_CURSOR}")
_SETTLED = re.compile(_NUMBER)
_NOTHING_SHOWN = "0" * 8
_BEYOND_EVERY_STEP = 2**52
MAX_CURSOR_LENGTH = 12_000  # of a user's; headers have a limit
_MOST_JOBS = 100  # in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands right now. Not history: only the newest is worth telling."""

    job_id: str
    status: str
    attempt: int
    progress: Progress

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that change with it."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return f"{zlib.crc32(text.encode()):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLines:
    """Lines that a job's container printed, one after the other."""

    job_id: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A job is over: the last that is told of it."""

    job_id: str
    status: str
    end_reason: str | None
    exit_code: int | None
    error_message: str | None
    completed_at: datetime | None


Piece = JobEvent | Metric | LogLines | Standing | End


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Everything of one job up to here has been told. Each kind has its own place, because each grows on its own."""

    event_id: int = 0
    attempt: int = 0  # with `step`, the last row of the metrics
    step: int = 0
    log_bytes: int = 0
    standing: str = _NOTHING_SHOWN  # the digest of the last one told
    is_end: bool = False  # its end too

    def after(self, piece: Piece) -> Cursor:
        """The cursor behind `piece`; behind log lines only their reader knows it."""
        match piece:
            case JobEvent():
                # Only a new status, of a job that is tried again, is more than an afterthought to its end.
                is_end = self.is_end and piece.type != "status"
                return replace(self, event_id=piece.id or self.event_id, is_end=is_end)
            case Metric():
                return replace(self, attempt=piece.attempt, step=piece.step)
            case LogLines():
                return self
            case Standing():
                return replace(self, standing=piece.digest)
            case End():
                return replace(self, is_end=True)

    def __str__(self) -> str:
        end = ".end" if self.is_end else ""
        return f"{self.event_id}.{self.attempt}.{self.step}.{self.log_bytes}.{self.standing}{end}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises Rejected for what is no cursor of a job."""
        found = _ONE_JOB.fullmatch(text)
        if found is None:
            raise _no_cursor()
        return _cursor(found.groups())

    @classmethod
    def at_end_of(cls, attempt: Attempt | None, *, event_id: int) -> Cursor:
        """Behind everything of an attempt that is over; None: before the first one."""
        if attempt is None:
            return cls(event_id=event_id)
        return cls(
            event_id=event_id,
            attempt=attempt.number,
            step=_BEYOND_EVERY_STEP,
            log_bytes=attempt.log_bytes,
            is_end=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCursor:
    """Everything of a user's jobs up to here has been told.

    Rows of the history get their ids before they are stored, and those of two jobs may be stored in the other order.
    So there are two parts: up to the event `settled`, which is so old that nothing can appear before it, everything was
    told of every job; of those that are active, or that changed since, `jobs` knows the place itself.
    """

    settled: int = 0
    jobs: Mapping[str, Cursor] = field(default_factory=dict)

    def __str__(self) -> str:
        entries = [f"{uuid.UUID(job_id).hex}.{at}" for job_id, at in list(self.jobs.items())[-_MOST_JOBS:]]
        return "~".join([str(self.settled), *entries])

    @classmethod
    def parse(cls, text: str) -> UserCursor:
        """Raises Rejected for what is no cursor of a user's stream."""
        settled, *entries = text[:MAX_CURSOR_LENGTH].split("~")
        found = [_ENTRY.fullmatch(entry) for entry in entries]
        if not _SETTLED.fullmatch(settled) or None in found:
            raise _no_cursor()
        jobs = {str(uuid.UUID(match[1])): _cursor(match.groups()[1:]) for match in found if match is not None}
        return cls(settled=int(settled), jobs=jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A piece, and the place behind it."""

    piece: Piece
    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What somebody at a cursor has not been told; `is_all` when nothing is left behind it."""

    told: tuple[Told, ...]
    cursor: Cursor
    is_all: bool
    is_open: bool  # whether the job has not ended


def standing_of(job: Job, attempt: Attempt | None) -> Standing:
    """The attempt may know its progress better than the job's row, which follows at a slower pace."""
    newer = attempt.progress if attempt is not None and not job.status.is_final else None
    progress = newer or job.progress
    total_steps = progress.total_steps or job.config.steps
    return Standing(
        job_id=job.id, status=job.status, attempt=job.attempt, progress=replace(progress, total_steps=total_steps)
    )


def end_of(job: Job) -> End:
    return End(
        job_id=job.id,
        status=job.status,
        end_reason=job.end_reason,
        exit_code=job.exit_code,
        error_message=job.error_message,
        completed_at=job.completed_at,
    )


def _cursor(parts: tuple[str | None, ...]) -> Cursor:
    event_id, attempt, step, log_bytes, standing, end = parts
    return Cursor(
        event_id=int(event_id or 0),
        attempt=min(int(attempt or 0), 2**31 - 1),
        step=int(step or 0),
        log_bytes=int(log_bytes or 0),
        standing=standing or _NOTHING_SHOWN,
        is_end=end is not None,
    )


def _no_cursor() -> Rejected:
    return Rejected(
        "The place to go on from is none that a stream of this kind gave out. Leave it out to begin anew.",
        code="CURSOR_UNKNOWN",
    )
