"""What administrators are shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from orchestrator.domain.audit import AuditAction, AuditEntry


class AuditEntryOut(BaseModel):
    """One act of an administrator or operator."""

    id: int
    actor: str = Field(description="A user's id, or `operator` for the command line.")
    action: AuditAction
    subject: str = Field(description="What was acted on.")
    message: str
    data: dict[str, Any]
    at: datetime

    @classmethod
    def from_domain(cls, entry: AuditEntry) -> AuditEntryOut:
        return cls(
            id=entry.id or 0,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            message=entry.message,
            data=entry.data,
            at=entry.at,
        )
