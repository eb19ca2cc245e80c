"""The orchestrator's half of a process: standby until it leads, then pass after pass until it is deposed or stopped."""

from __future__ import annotations

import random
import threading
import time

import structlog

from orchestrator.domain.back_off import BackOff
from orchestrator.domain.errors import Deposed, LorryError, StoreUnavailable
from orchestrator.ports.leadership import Leadership, Term
from orchestrator.ports.meter import Meter
from orchestrator.ports.steps import Steps
from orchestrator.ports.wake_up import WakeUp
from orchestrator.services.builtin_models import BuiltinModels
from orchestrator.services.reconciler import Reconciler

log = structlog.get_logger()

STANDBY_SECONDS = 1.0
# However many call: a pass on every call of a crowd would leave the processor to nobody else.
SHORTEST_TURN_SECONDS = 0.1
# Time for what was begun when the end comes; what takes longer is looked at again by whoever leads next.
LAST_STEPS_SECONDS = 4.0
# A store that is away is asked ever more rarely, so that it can come back in peace.
STORE_BACK_OFF = BackOff(first_seconds=0.5, longest_seconds=5.0)


class Orchestration:
    """Nothing happens until `run` is called; one thread may run it at a time."""

    def __init__(
        self,
        *,
        leadership: Leadership,
        reconciler: Reconciler,
        builtin_models: BuiltinModels,
        wake_up: WakeUp,
        steps: Steps,
        poll_seconds: float,
        meter: Meter,
    ) -> None:
        self._leadership = leadership
        self._reconciler = reconciler
        self._builtin_models = builtin_models
        self._wake_up = wake_up
        self._steps = steps
        self._poll_seconds = poll_seconds
        self._meter = meter
        self._announced: Term | None = None
        self._is_called = False

    @property
    def is_leading(self) -> bool:
        return self._leadership.number > 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. A store that is away and a deposition are waited out; jobs meanwhile go on."""
        failures = 0
        try:
            while not stop.is_set():
                try:
                    self._step(stop)
                    failures = 0
                except Deposed as error:
                    log.warning("no longer the orchestrator", error=error.message)
                    self._leadership.release()
                except StoreUnavailable as error:
                    log.warning("store unavailable", error=error.message)
                    stop.wait(STORE_BACK_OFF.spread_seconds(failures, random.random()))  # noqa: S311 - only spreads load
                    failures += 1
        finally:
            self._steps.wait(LAST_STEPS_SECONDS)
            self._leadership.release()

    def _step(self, stop: threading.Event) -> None:
        if self._leadership.number:
            self._pass(stop)
        elif self._leadership.acquire():
            log.info("orchestrating", term=self._leadership.number)
            self._prepare_models()
        else:
            self._stand_by(stop)

    def _pass(self, stop: threading.Event) -> None:
        began_at = time.monotonic()
        self._leadership.confirm()
        with self._meter.timed_pass():
            self._reconciler.run_once(stop.is_set)
        if self._is_called:
            stop.wait(SHORTEST_TURN_SECONDS - (time.monotonic() - began_at))
        if not stop.is_set():
            self._is_called = self._wake_up.wait(self._poll_seconds)

    def _stand_by(self, stop: threading.Event) -> None:
        leader = self._leadership.latest()
        if leader != self._announced:
            log.info("standby: another process orchestrates on this store", leader=str(leader))
            self._announced = leader
        stop.wait(STANDBY_SECONDS)

    def _prepare_models(self) -> None:
        try:
            self._builtin_models.prepare()
        except LorryError as error:
            # Not fatal: the first job that needs the model builds it, or says why it cannot.
            log.warning("built-in models not prepared", error=error.message)
