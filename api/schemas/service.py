"""How the service itself is doing."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from orchestrator.services.readiness import Check


class Health(BaseModel):
    """The process is alive; nothing else was asked."""

    ok: Literal[True] = True
    timestamp: datetime
    service: Literal["lorry"] = "lorry"
    version: str = Field(examples=["1.0.0"])


class CheckOut(BaseModel):
    name: str = Field(examples=["engine"])
    ok: bool
    message: str = Field(examples=["The Docker Engine answers."])

    @classmethod
    def from_domain(cls, check: Check) -> CheckOut:
        return cls(name=check.name, ok=check.is_ok, message=check.message)


class Ready(BaseModel):
    """Jobs can be taken and run right now."""

    ok: Literal[True] = True
    checks: list[CheckOut]
