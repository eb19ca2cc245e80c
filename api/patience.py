"""Waiting for what the orchestrator's half does, without holding a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from fastapi.concurrency import run_in_threadpool

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.stop_flag import StopFlag

T = TypeVar("T")

# Looks come ever more rarely: an answer is late by a tenth of the wait at most, or by the shortest pause.
_SHORTEST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.1
_PAUSE_SHARE = 0.1


async def wait_for(look: Callable[[], T | None], *, seconds: float, stopping: StopFlag) -> T | None:
    """What `look` finds; None when time is up or the server stops.

    What was asked for is stored by now, so a store that does not answer for a moment must not become an error answer.
    """
    began_at = time.monotonic()
    while not stopping.is_set():
        try:
            found = await run_in_threadpool(look)
        except StoreUnavailable:
            found = None
        waited = time.monotonic() - began_at
        if found is not None or waited >= seconds:
            return found
        await anyio.sleep(min(max(waited * _PAUSE_SHARE, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS))
    return None
