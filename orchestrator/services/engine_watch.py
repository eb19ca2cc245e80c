"""One look at the engine a pass, and the word about it that the API half reads."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from orchestrator.domain.back_off import BackOff
from orchestrator.domain.container import EngineSnapshot
from orchestrator.domain.engine import engine_warnings
from orchestrator.domain.errors import RuntimeUnavailable
from orchestrator.ports.clock import Clock
from orchestrator.ports.container_runtime import ContainerRuntime
from orchestrator.ports.device_inventory import DeviceInventory
from orchestrator.ports.disk import Disk
from orchestrator.ports.record_store import EngineStatus, RecordStore

log = structlog.get_logger()

# The status is for /ready and the queue's reasons: an unchanged one is written now and then, not every pass.
STATUS_SECONDS = 5.0
# An engine that does not answer is asked ever more rarely, so that waiting for its timeouts does not fill our time.
LONGEST_PAUSE_SECONDS = 10.0
BACK_OFF = BackOff(first_seconds=0.25, longest_seconds=LONGEST_PAUSE_SECONDS)


class EngineWatch:
    """`min_free_bytes`: below it no job is started, for it would fail with a full disk."""

    def __init__(
        self,
        *,
        records: RecordStore,
        runtime: ContainerRuntime,
        inventory: DeviceInventory,
        disk: Disk,
        clock: Clock,
        image: str,
        min_free_bytes: int,
    ) -> None:
        self._records = records
        self._runtime = runtime
        self._inventory = inventory
        self._disk = disk
        self._clock = clock
        self._image = image
        self._min_free_bytes = min_free_bytes
        self._unreachable_since: datetime | None = None
        self._failures = 0
        self._ask_again_at: datetime | None = None
        self._recorded: EngineStatus | None = None
        self._image_seen_at: datetime | None = None
        self._image_digest: str | None = None
        self._met: str | None = None  # id of the engine that was last described in the log

    def look(self) -> tuple[EngineSnapshot | None, EngineStatus]:
        """What the engine lists, None when it did not answer; and the status, stored when it is news."""
        snapshot, image_digest = self._ask()
        status = self._status(snapshot, image_digest)
        if _is_news(status, self._recorded):
            status = replace(status, device_memory=self._inventory.memory())
            self._records.save_engine_status(status)
            self._recorded = status
        return snapshot, status

    def _ask(self) -> tuple[EngineSnapshot | None, str | None]:
        now = self._clock.now()
        if self._ask_again_at is not None and now < self._ask_again_at:
            return None, None
        try:
            snapshot = self._runtime.snapshot()
            image_digest = self._current_image_digest()
            if snapshot.engine_id != self._met:
                self._meet(snapshot.engine_id)
        except RuntimeUnavailable as error:
            self._note_failure(error)
            return None, None
        if self._unreachable_since is not None:
            log.info("engine reachable again", unreachable_since=self._unreachable_since.isoformat())
        self._unreachable_since, self._failures, self._ask_again_at = None, 0, None
        return snapshot, image_digest

    def _current_image_digest(self) -> str | None:
        """Looked for now and then while it is there: a launch notices by itself that it has gone."""
        now = self._clock.now()
        if self._image_seen_at is None or now - self._image_seen_at >= timedelta(seconds=STATUS_SECONDS):
            self._image_digest = self._runtime.image_digest(self._image)
            self._image_seen_at = now if self._image_digest is not None else None
        return self._image_digest

    def _meet(self, engine_id: str) -> None:
        """Tell the log what kind of engine this is, and that it is not the one of before."""
        facts = self._runtime.facts()
        note = log.bind(engine_id=engine_id, version=facts.version, runc=facts.runc_version)
        if self._met is None:
            note.info("engine found")
        else:
            note.error("another engine answers: jobs on the one before wait for it", engine_before=self._met)
        for warning in engine_warnings(facts, min_free_bytes=self._min_free_bytes):
            note.warning("engine may hurt jobs", why=warning)
        self._met = engine_id

    def _note_failure(self, error: RuntimeUnavailable) -> None:
        now = self._clock.now()
        if self._unreachable_since is None:
            self._unreachable_since = now
            log.warning("engine unreachable", error=error.message)
        pause = BACK_OFF.pause_seconds(self._failures)
        self._failures += 1
        self._ask_again_at = now + timedelta(seconds=pause * random.uniform(0.9, 1.1))  # noqa: S311 - only spreads load

    def _status(self, snapshot: EngineSnapshot | None, image_digest: str | None) -> EngineStatus:
        return EngineStatus(
            last_pass_at=self._clock.now(),
            unreachable_since=self._unreachable_since,
            engine_id=snapshot.engine_id if snapshot else None,
            is_image_present=image_digest is not None,
            image_digest=image_digest,
            devices=tuple(self._inventory.devices()),
            problem=self._problem(is_image_present=image_digest is not None),
        )

    def _problem(self, *, is_image_present: bool) -> str | None:
        """What keeps every job from starting, in a sentence's middle: jobs show it as the reason they wait."""
        if self._unreachable_since is not None:
            since = self._unreachable_since.isoformat(timespec="seconds")
            return f"the Docker Engine has not answered since {since}"
        if not is_image_present:
            return f"the training image {self._image!r} is not on this machine; build it with `make setup`"
        free_bytes = self._disk.free_bytes()
        if free_bytes < self._min_free_bytes:
            return f"only {free_bytes / 1024**3:.1f} GiB are free in the data directory"
        return None


def _is_news(status: EngineStatus, recorded: EngineStatus | None) -> bool:
    if recorded is None or status.last_pass_at - recorded.last_pass_at >= timedelta(seconds=STATUS_SECONDS):
        return True
    return replace(status, last_pass_at=recorded.last_pass_at, device_memory=recorded.device_memory) != recorded
