"""The orchestrator as a process of its own: the only one that holds the Docker socket."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from orchestrator.bootstrap import Lorry, build
from orchestrator.json_log import configure_json_log
from orchestrator.settings import Settings
from orchestrator.stop_flag import StopFlag

# A step that hangs on the engine is left where it is after this long: the next process looks at the job again.
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.1


def orchestrate(settings: Settings) -> None:
    """Reconcile, or stand by for whoever does, until SIGTERM or SIGINT, which leave running jobs running."""
    configure_json_log(settings.log_level)
    lorry = build(settings)
    asked = StopFlag()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    try:
        with lorry.meter.served(settings.host, settings.metrics_port):
            is_done = _run(lorry, asked)
    finally:
        lorry.close()
    if not is_done:
        sys.exit(1)  # the log says why


def _run(lorry: Lorry, asked: StopFlag) -> bool:
    """Whether it went on until it was `asked`. The work has its own thread, so that a signal is never kept waiting."""
    stop, over = threading.Event(), threading.Event()

    def reconcile() -> None:
        try:
            lorry.reconcile_forever(stop)
        finally:
            over.set()

    worker = threading.Thread(target=reconcile, name="orchestrator", daemon=True)
    worker.start()
    while not asked.is_set() and not over.wait(LOOK_SECONDS):
        pass
    stop.set()
    lorry.wake_up.notify()
    worker.join(STOP_SECONDS)
    return asked.is_set()
