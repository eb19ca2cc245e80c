"""What a user does with registered models: list them, look at one, rename, delete."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.errors import NotFound
from orchestrator.domain.identity import Identity
from orchestrator.domain.registered_model import ModelVersion, require_model_name
from orchestrator.ports.clock import Clock
from orchestrator.ports.model_registry import ModelRegistry, RegisteredModelPage


class Registry:
    """Names are each user's own. Every method that takes one raises NotFound (MODEL_NOT_FOUND) for an unknown one."""

    def __init__(self, *, registry: ModelRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def models(self, identity: Identity, *, page: int, page_size: int) -> RegisteredModelPage:
        return self._registry.list(identity.user_id, page=page, page_size=page_size)

    def versions(self, identity: Identity, name: str) -> Sequence[ModelVersion]:
        """Newest first; at least one."""
        versions = self._registry.versions(identity.user_id, name)
        if not versions:
            raise NotFound(f"There is no registered model {name!r}.", code="MODEL_NOT_FOUND")
        return versions

    def rename(self, identity: Identity, name: str, new_name: str | None) -> Sequence[ModelVersion]:
        """Its versions under the new name. Raises Conflict (MODEL_NAME_TAKEN), Rejected (MODEL_NAME_INVALID)."""
        self.versions(identity, name)
        chosen = require_model_name(new_name or "")
        self._registry.rename(identity.user_id, name, chosen)
        return self._registry.versions(identity.user_id, chosen)

    def delete(self, identity: Identity, name: str, *, version: int | None) -> Sequence[ModelVersion]:
        """The versions that are forgotten: one, or all. Their files stay with their jobs."""
        wanted = [each for each in self.versions(identity, name) if version in (None, each.version)]
        self._registry.delete(identity.user_id, name, version=version, at=self._clock.now())
        return wanted
