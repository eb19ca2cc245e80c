"""Docker's event stream as a hint: something happened to a container of ours, so look now instead of a poll later.

What happened is not read: the pass that follows lists everything. A stream that is lost, late or never there costs
the time until the next poll. Each new connection counts as an event, which covers what happened between two of them.
"""

from __future__ import annotations

import json
import random
import threading
from types import TracebackType
from typing import Self

import requests
import structlog
from docker import APIClient
from docker.errors import DockerException
from docker.types.daemon import CancellableStream

from orchestrator.domain.back_off import BackOff
from orchestrator.domain.container import LABEL_INSTANCE
from orchestrator.ports.wake_up import WakeUp

log = structlog.get_logger()

# Only what others do to a container, or it does itself: what we do ourselves needs no second look. Whoever removes one
# that runs makes it die first.
_EVENTS = ["die", "pause"]
_CONNECT_SECONDS = 10
_STOP_SECONDS = 1.0
_BACK_OFF = BackOff(first_seconds=1.0, longest_seconds=30.0)


class EngineEvents:
    """While entered, a thread follows the events of `instance`'s containers and calls `wake_up.notify()`.

    A connection that is silent for `silence_seconds` may be dead without a word and is made anew.
    """

    def __init__(self, *, base_url: str, instance: str, wake_up: WakeUp, silence_seconds: float = 60.0) -> None:
        self._base_url = base_url
        self._filters = {"type": ["container"], "event": _EVENTS, "label": [f"{LABEL_INSTANCE}={instance}"]}
        self._wake_up = wake_up
        self._silence_seconds = silence_seconds
        self._failures = 0
        self._stopping = threading.Event()
        self._stream: CancellableStream[bytes] | None = None
        self._thread = threading.Thread(target=self._follow, name="engine-events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Cuts the connection under the thread; one that hangs while it connects is left to die with the process."""
        self._stopping.set()
        if (stream := self._stream) is not None:
            stream.close()
        self._thread.join(_STOP_SECONDS)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow_once()
            except (DockerException, requests.RequestException, OSError) as error:
                self._note_failure(error)
            except Exception:
                log.exception("engine events lost: only polling is left")
                return
            jitter = random.random()  # noqa: S311 - only spreads load
            self._stopping.wait(_BACK_OFF.spread_seconds(self._failures, jitter))

    def _follow_once(self) -> None:
        """One connection from its beginning to its end, which is silence, a restart of the engine, or our own stop."""
        client = APIClient(base_url=self._base_url, version="auto", timeout=_CONNECT_SECONDS, max_pool_size=1)
        try:
            # docker-py's own method knows no timeout: a connection that died without a word would never end.
            response = client.get(
                f"{client.base_url}/v{client.api_version}/events",
                params={"filters": json.dumps(self._filters)},
                stream=True,
                timeout=(_CONNECT_SECONDS, self._silence_seconds),
            )
            response.raise_for_status()
            self._stream = CancellableStream(response.iter_content(chunk_size=None), response)
            self._failures = 0
            if self._stopping.is_set():  # asked after we last looked, and before there was a stream to cut
                return
            self._wake_up.notify()
            for _ in self._stream:
                self._wake_up.notify()
        finally:
            self._stream = None
            client.close()

    def _note_failure(self, error: Exception) -> None:
        if self._failures == 0:
            log.info("engine events not available, polling goes on", error=str(error))
        self._failures += 1
