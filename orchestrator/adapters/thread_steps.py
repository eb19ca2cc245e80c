"""Steps in threads of their own."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait


class ThreadSteps:
    """At most `at_once` at a time.

    The threads are daemons: a process that is asked to end does not wait for an engine that hangs.
    """

    def __init__(self, *, at_once: int = 8) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._begun: dict[str, Future[None]] = {}

    def begin(self, job_id: str, step: Callable[[], None]) -> None:
        outcome: Future[None] = Future()
        self._begun[job_id] = outcome
        context = contextvars.copy_context()
        work = threading.Thread(target=context.run, args=(self._work, step, outcome), name="step", daemon=True)
        work.start()

    def is_busy(self, job_id: str) -> bool:
        return job_id in self._begun

    def settle(self) -> None:
        over = {job_id: outcome for job_id, outcome in self._begun.items() if outcome.done()}
        for job_id in over:
            del self._begun[job_id]
        for outcome in over.values():
            outcome.result()

    def wait(self, timeout_seconds: float) -> None:
        wait(self._begun.values(), timeout_seconds)

    def _work(self, step: Callable[[], None], outcome: Future[None]) -> None:
        with self._turns:
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - raised again where the steps are settled
                outcome.set_exception(error)
            else:
                outcome.set_result(None)
