"""uvicorn, started from code: says when it listens, and stops within a second whoever is still connected."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.server import HANDLED_SIGNALS

from orchestrator.stop_flag import StopFlag

# Connections that are still open this long after the signal are cut: jobs go on without us.
STOP_SECONDS = 0.5


class Server(uvicorn.Server):
    """Sets the app's `stopping` flag on the first signal, so that answers that wait come to an end."""

    def __init__(self, app: FastAPI, *, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
        """`announce` is told this server's address once it listens."""
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="asyncio",  # with 500 open streams uvloop takes four times its processor time (docs/benchmarks.md)
                log_config=None,
                access_log=False,  # ours has no query strings
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,  # type: ignore[arg-type] # only handed to asyncio.wait_for
            )
        )
        self._stopping: StopFlag = app.state.stopping
        self._announce = announce
        self.has_given_up = False

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; call it from the main thread."""
        for number in HANDLED_SIGNALS:
            # For a signal before uvicorn's own handlers are there, and after: it raises each signal again once it
            # has stopped, and by then that must not kill us unfinished.
            signal.signal(number, lambda *_: self._begin_stop())
        super().run(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)

    def give_up(self) -> None:
        """Stop because the rest of the process cannot go on; may be called from any thread."""
        self.has_given_up = True
        self._begin_stop()

    def _begin_stop(self) -> None:
        self._stopping.set()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        port = self.servers[0].sockets[0].getsockname()[1]
        url = f"http://{host}:{port}"
        sys.stdout.write(f"ready: {url}\n")
        sys.stdout.flush()
        if self._announce is not None:
            self._announce(url)
