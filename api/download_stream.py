"""The progress of a model's download as server-sent events, to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from api.schemas.downloads import DownloadOut
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.services.models import Models
from orchestrator.stop_flag import StopFlag

LOOK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0


async def download_events(
    models: Models, model_id: str, stopping: StopFlag, *, look_seconds: float = LOOK_SECONDS
) -> AsyncIterator[bytes]:
    """What changed since the last look. The last event is terminal, unless the server stops before."""
    told: DownloadOut | None = None
    silent_seconds = 0.0
    while not stopping.is_set():
        seen = await _look(models, model_id)
        if seen is not None and seen != told:
            yield format_sse_event(data_str=seen.model_dump_json())
            told, silent_seconds = seen, 0.0
            if seen.status != "downloading":
                return
        elif silent_seconds >= HEARTBEAT_SECONDS:
            yield KEEPALIVE_COMMENT
            silent_seconds = 0.0
        await asyncio.sleep(look_seconds)
        silent_seconds += look_seconds


async def _look(models: Models, model_id: str) -> DownloadOut | None:
    """None while the store is away: the next look may find it."""
    try:
        return DownloadOut.from_domain(await run_in_threadpool(models.get, model_id))
    except StoreUnavailable:
        return None
