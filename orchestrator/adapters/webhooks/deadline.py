"""A connection with an end: a peer that sends a byte now and then keeps every single timeout and still never ends."""

from __future__ import annotations

import ssl
import time
from typing import Any

import httpcore2


class DeadlineStream(httpcore2.NetworkStream):
    """Every read and write ends at `over_at` (of `time.monotonic`) at the latest."""

    def __init__(self, stream: httpcore2.NetworkStream, over_at: float) -> None:
        self._stream = stream
        self._over_at = over_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._left(timeout, httpcore2.ConnectTimeout)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left), self._over_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, late: type[httpcore2.TimeoutException]) -> float:
        left = self._over_at - time.monotonic()
        if left <= 0:
            raise late
        return left if timeout is None else min(timeout, left)
