"""A proxy in front of the engine's socket that goes away, hangs, loses answers and cuts them short, on request.

A fault is bound to requests by a pattern of their first line, such as `POST .*/containers/create`.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

_CHUNK_BYTES = 65536
_REQUEST = re.compile(rb"^([A-Z]+ /\S*) HTTP/")
FOR_EVER = 10**9


@dataclass
class Fault:
    """What happens to the next `times` requests that match: so many bytes of the answer pass, then the line is cut.

    None: the request is not even passed on, and nobody answers.
    """

    request: re.Pattern[str]
    answer_bytes: int | None
    times: int

    def takes(self, request: str) -> bool:
        if self.times == 0 or not self.request.search(request):
            return False
        self.times -= 1
        return True


class EngineProxy:
    """Listens on `path` and passes everything to the engine's socket until it is told otherwise."""

    def __init__(self, path: Path, engine_path: str) -> None:
        self.url = f"unix://{path}"
        self._path = path
        self._engine_path = engine_path
        self._faults: list[Fault] = []
        self._lines: set[_Line] = set()
        self._changing = threading.Lock()
        self._server = self._listening()

    # -- faults -------------------------------------------------------------------------------------------------

    def go_away(self) -> None:
        """No socket and no connection, as when the engine is dead."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._path.unlink(missing_ok=True)
        self.cut_connections()

    def come_back(self) -> None:
        self._server = self._listening()

    def hang(self, request: str = "") -> None:
        """Requests that match get no answer, until `recover`."""
        self._faults.append(Fault(re.compile(request), None, FOR_EVER))

    def lose(self, request: str, *, times: int = 1) -> Fault:
        """The engine does what it is asked, but nobody hears its answer. The fault tells how many times are left."""
        return self.cut(request, after_bytes=0, times=times)

    def cut(self, request: str, *, after_bytes: int, times: int = 1) -> Fault:
        """The answer ends after so many bytes of head and body, and its connection with it."""
        fault = Fault(re.compile(request), after_bytes, times)
        self._faults.append(fault)
        return fault

    def cut_connections(self) -> None:
        """End every connection that is open now; new ones pass."""
        with self._changing:
            lines = list(self._lines)
        for line in lines:
            line.cut()

    def recover(self) -> None:
        """No more faults. Requests that hang fail, as they do when an engine is restarted."""
        self._faults.clear()
        self.cut_connections()

    def close(self) -> None:
        self.go_away()

    # -- passing on ---------------------------------------------------------------------------------------------

    def fault_for(self, data: bytes) -> Fault | None:
        """The fault that takes the request which `data` begins; None for one that passes, or for a request's rest."""
        request = _REQUEST.match(data)
        if request is None:
            return None
        with self._changing:
            return next((fault for fault in list(self._faults) if fault.takes(request[1].decode())), None)

    def forget(self, line: _Line) -> None:
        with self._changing:
            self._lines.discard(line)

    def _listening(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self._path))
        server.listen(64)
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()
        return server

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                line = _Line(self, client, self._engine_path)
                with self._changing:
                    self._lines.add(line)
                line.open()


class _Line:
    """One client's connection and ours to the engine; its requests come one after another."""

    def __init__(self, proxy: EngineProxy, client: socket.socket, engine_path: str) -> None:
        self._proxy = proxy
        self._client = client
        self._engine_path = engine_path
        self._engine = socket.socket(socket.AF_UNIX)
        self._answer_bytes: int | None = None  # what may still pass of a faulty answer

    def open(self) -> None:
        threading.Thread(target=self._pass_requests, daemon=True).start()

    def cut(self) -> None:
        for end in (self._client, self._engine):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass_requests(self) -> None:
        with self._client, self._engine:
            with contextlib.suppress(OSError):
                self._engine.connect(self._engine_path)
                threading.Thread(target=self._pass_answers, daemon=True).start()
                self._pass_each_request()
            self.cut()
        self._proxy.forget(self)

    def _pass_each_request(self) -> None:
        is_silent = False
        while data := self._client.recv(_CHUNK_BYTES):
            fault = self._proxy.fault_for(data)
            if fault is not None:
                self._answer_bytes, is_silent = fault.answer_bytes, fault.answer_bytes is None
            if not is_silent:
                self._engine.sendall(data)

    def _pass_answers(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._engine.recv(_CHUNK_BYTES):
                if self._answer_bytes is None:
                    self._client.sendall(data)
                    continue
                self._client.sendall(data[: self._answer_bytes])
                self._answer_bytes -= min(self._answer_bytes, len(data))
                if self._answer_bytes == 0:
                    break
        self.cut()
