"""Where base models come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from orchestrator.domain.model import CatalogueEntry, ModelFile, ModelSnapshot


class ModelHub(Protocol):
    """Errors of every method: HubUnavailable when another try may help, HubRefused when it will not.

    Their messages are sentences for whoever waits for the model, and hold no token.
    """

    def look_up(self, entry: CatalogueEntry, *, revision: str) -> ModelSnapshot:
        """The commit that `revision` is, and those of its files that belong to the model; weights as safetensors."""

    def fetch(
        self, entry: CatalogueEntry, file: ModelFile, *, revision: str, folder: str, note: Callable[[int], None]
    ) -> None:
        """Put a file below `folder`, whole and with the content the hub promised, or not under its name at all.

        Goes on where an earlier try broke off. `note` is told every now and then how many bytes of it there are; what
        it raises ends the try and passes through.
        """
