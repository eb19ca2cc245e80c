"""What every container of this installation has in common."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.container import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    instance: str
    image: str
    user: str  # uid:gid
    limits: Limits
    shared_cache_bytes: int = 0  # of a user's jobs together; 0: they share nothing
