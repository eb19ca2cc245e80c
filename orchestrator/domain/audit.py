"""What people with power did: administrators over HTTP, operators on the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

# Who acts on the command line. Lorry has no account for them: whoever may read the data directory may do anything.
OPERATOR = "operator"


class AuditAction(StrEnum):
    TOKEN_CREATED = "token_created"  # noqa: S105 - an action's name
    SIGN_IN_LINK_CREATED = "sign_in_link_created"
    TOKENS_REVOKED = "tokens_revoked"
    JOB_CANCELLED = "job_cancelled"  # somebody else's, as every job here
    JOB_RETRIED = "job_retried"
    JOB_RERUN = "job_rerun"
    JOB_CONTINUED = "job_continued"
    JOB_DESCRIBED = "job_described"
    JOB_DELETED = "job_deleted"
    JOB_RESTORED = "job_restored"
    CHECKPOINT_PROMOTED = "checkpoint_promoted"
    CONTAINER_STOPPED = "container_stopped"
    PRIORITY_CHANGED = "priority_changed"
    LIMIT_CHANGED = "limit_changed"
    SUSPECT_CLEARED = "suspect_cleared"
    MAINTENANCE_BEGUN = "maintenance_begun"
    MAINTENANCE_ENDED = "maintenance_ended"
    CLEANED_UP = "cleaned_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One act. It is never changed and never removed; `data` holds no secret."""

    actor: str  # a user's id, or OPERATOR
    action: AuditAction
    subject: str  # what was acted on: a job's id, a user's id
    message: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    id: int | None = None  # given by the store, ascending
