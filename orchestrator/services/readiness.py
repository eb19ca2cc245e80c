"""Whether this installation can take and run jobs right now, said check by check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.domain.errors import IdentityUnavailable, StoreUnavailable
from orchestrator.ports.clock import Clock
from orchestrator.ports.disk import Disk
from orchestrator.ports.figure_store import FigureStore
from orchestrator.ports.record_store import EngineStatus, RecordStore
from orchestrator.ports.token_verifier import IdentityProvider

# A pass takes well under a second; a minute without one means nobody is reconciling.
STALE_AFTER = timedelta(seconds=60)
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right, and a sentence about how it is."""

    name: str  # store, orchestrator, engine, image, launches, identity, disk
    is_ok: bool
    message: str


class Readiness:
    def __init__(
        self,
        *,
        store: FigureStore,
        records: RecordStore,
        disk: Disk,
        clock: Clock,
        min_free_bytes: int,
        identity: IdentityProvider | None = None,
    ) -> None:
        """`identity` None: callers are known to this store alone."""
        self._store = store
        self._records = records
        self._disk = disk
        self._clock = clock
        self._min_free_bytes = min_free_bytes
        self._identity = identity

    def checks(self) -> Sequence[Check]:
        try:
            self._store.check_writes()
            status = self._records.engine_status()
        except StoreUnavailable as error:
            return [Check("store", is_ok=False, message=error.message), *self._identity_checks(), self._disk_check()]
        store = Check("store", is_ok=True, message="The job store answers and takes writes.")
        return [store, *self._orchestrator_checks(status), *self._identity_checks(), self._disk_check()]

    def _orchestrator_checks(self, status: EngineStatus | None) -> Sequence[Check]:
        """What the orchestrator last said is worth nothing once it has fallen silent."""
        if status is None:
            return [_silent("No orchestrator has worked on this store yet.")]
        age = self._clock.now() - status.last_pass_at
        if age > STALE_AFTER:
            return [_silent(f"No orchestrator has made a pass for {age.total_seconds():.0f} seconds.")]
        checks = [
            Check("orchestrator", is_ok=True, message="The orchestrator is at work."),
            _engine_check(status),
            _image_check(status),
        ]
        if status.problem is not None and all(check.is_ok for check in checks):
            checks.append(Check("launches", is_ok=False, message=f"No job is started: {status.problem}."))
        return checks

    def _identity_checks(self) -> Sequence[Check]:
        if self._identity is None:
            return []
        try:
            self._identity.check()
        except IdentityUnavailable as error:
            return [Check("identity", is_ok=False, message=error.message)]
        return [Check("identity", is_ok=True, message="Access tokens can be checked.")]

    def _disk_check(self) -> Check:
        """Measured here, beside what the orchestrator finds: uploads need room too."""
        free_bytes = self._disk.free_bytes()
        is_ok = free_bytes >= self._min_free_bytes
        only = "" if is_ok else "Only "
        return Check("disk", is_ok=is_ok, message=f"{only}{free_bytes / _GIB:.1f} GiB are free in the data directory.")


def _silent(finding: str) -> Check:
    return Check("orchestrator", is_ok=False, message=f"{finding} Start one with `lorry serve` or `lorry orchestrate`.")


def _engine_check(status: EngineStatus) -> Check:
    since = status.unreachable_since
    if since is None:
        return Check("engine", is_ok=True, message="The Docker Engine answers.")
    when = since.isoformat(timespec="seconds")
    return Check("engine", is_ok=False, message=f"The Docker Engine has not answered since {when}.")


def _image_check(status: EngineStatus) -> Check:
    """While the engine is silent nobody knows about its images, and the engine's own check says why."""
    if status.is_image_present or status.unreachable_since is not None:
        message = "The training image is present." if status.is_image_present else "Unknown while the engine is silent."
        return Check("image", is_ok=True, message=message)
    return Check("image", is_ok=False, message="The training image is missing. Build it with `make setup`.")
