"""A proxy in front of the engine's socket that can lose answers, hang and cut: what networks do, on request."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class EngineProxy:
    """Listens on `path`. `loses` is the start of a request whose answer is dropped, once; `hangs` answers nothing."""

    def __init__(self, path: Path, engine_path: str) -> None:
        self.url = f"unix://{path}"
        self.loses: bytes | None = None
        self.hangs = False
        self._engine_path = engine_path
        self._clients: list[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection that is open now."""
        while self._clients:
            with contextlib.suppress(OSError):
                self._clients.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._clients.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX)
        engine.connect(self._engine_path)
        lost = threading.Event()
        answers = threading.Thread(target=self._answer, args=(engine, client, lost), daemon=True)
        answers.start()
        with contextlib.suppress(OSError), client, engine:
            while request := client.recv(65536):
                if self.loses is not None and request.startswith(self.loses):
                    self.loses = None
                    lost.set()
                if not self.hangs:
                    engine.sendall(request)

    @staticmethod
    def _answer(engine: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while answer := engine.recv(65536):
                if lost.is_set():
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(answer)
