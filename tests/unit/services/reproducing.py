"""Re-running and continuing jobs of a world."""

from __future__ import annotations

from orchestrator.ports.model_store import ModelStore
from orchestrator.services.models import Models
from orchestrator.services.reproduction import Reproduction
from tests.unit.services.world import World


def reproduction_over(world: World, store: ModelStore) -> Reproduction:
    """Repeating the world's jobs with the base models of `store`."""
    models = Models(store=store, files=world.model_files, downloads=world.downloads, clock=world.clock)
    return Reproduction(
        jobs=world.store,
        records=world.records,
        versions=world.versions,
        models=models,
        model_store=store,
        registry=world.registry,
        clock=world.clock,
        wake_up=world.wake_up,
    )
