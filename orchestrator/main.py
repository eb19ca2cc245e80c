"""The orchestrator as a process of its own: the only one that holds the Docker socket."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from orchestrator.bootstrap import build
from orchestrator.json_log import configure_json_log
from orchestrator.settings import Settings


def orchestrate(settings: Settings) -> None:
    """Reconcile, or stand by for whoever does, until SIGTERM or SIGINT, which leave running jobs running."""
    configure_json_log(settings.log_level)
    lorry = build(settings)
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        lorry.wake_up.notify()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    try:
        lorry.reconcile_forever(stop)
    finally:
        lorry.close()
