"""Making small copies of sample pictures beside the passes: a picture that takes long to decode holds up no job."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from orchestrator.domain.errors import Deposed, PortError
from orchestrator.ports.sample_store import SampleStore
from orchestrator.ports.thumbnail_store import ThumbnailStore
from orchestrator.services.rounds import run_rounds

log = structlog.get_logger()

ROUND_SECONDS = 1.0
# After a store or disk that would not; either takes a person, or time, to mend.
BACK_OFF_SECONDS = 30.0
BATCH = 32


class Thumbnails:
    def __init__(self, *, samples: SampleStore, thumbnails: ThumbnailStore) -> None:
        self._samples = samples
        self._thumbnails = thumbnails

    def run_until(self, stop: threading.Event, is_leading: Callable[[], bool]) -> None:
        """Round after round while this process leads; in a thread of its own."""
        run_rounds(self._round, stop=stop, is_leading=is_leading, idle_seconds=ROUND_SECONDS)

    def make_some(self) -> bool:
        """Look at a batch of samples that nobody has looked at; whether there may be more. Raises PortError."""
        unseen = self._samples.unseen(BATCH)
        if unseen:
            self._samples.note(self._thumbnails.make(unseen))
        return len(unseen) == BATCH

    def _round(self) -> float:
        """Seconds until the next one."""
        try:
            return 0.0 if self.make_some() else ROUND_SECONDS
        except (PortError, Deposed) as error:
            log.warning("thumbnails put off", error=error.message)
            return BACK_OFF_SECONDS
