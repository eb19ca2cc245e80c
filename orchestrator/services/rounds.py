"""What goes on beside the passes, round after round, for as long as this process leads."""

from __future__ import annotations

import threading
from collections.abc import Callable


def run_rounds(
    take: Callable[[], float], *, stop: threading.Event, is_leading: Callable[[], bool], idle_seconds: float
) -> None:
    """Until `stop` is set, in the caller's thread. `take` does one round and answers how many seconds to rest then.

    The first round comes after `idle_seconds`; as often it is asked whether this process leads while it does not.
    """
    pause = idle_seconds
    while not stop.wait(pause):
        pause = take() if is_leading() else idle_seconds
