"""Small copies of sample pictures. Containers drew those, so that looking at one is dangerous."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from orchestrator.domain.artifact import Artifact


class ThumbnailStore(Protocol):
    def make(self, samples: Sequence[Artifact]) -> Mapping[str, bool]:
        """Make a small copy of each, by id whether there is one now: not of what cannot be decoded within the bounds.

        One that the program did not come to, because another before it made it crash, is left out. Raises PortError
        when the disk says no.
        """

    def locate(self, sample: Artifact) -> str | None:
        """Absolute path of a small copy, for a server that sends files itself; None without one."""
