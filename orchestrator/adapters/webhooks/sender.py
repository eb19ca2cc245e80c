"""WebhookSender over httpcore, which neither follows redirects nor asks a proxy, and lets us make its connections.

The name is resolved here, once; every address it stands for is judged; and what is connected to is the judged address
itself, under the name's own TLS certificate and Host header. A name that stands for another address a moment later
(DNS rebinding) gains nothing by it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import httpcore2

from orchestrator.adapters.webhooks.deadline import DeadlineStream
from orchestrator.domain.errors import Rejected
from orchestrator.domain.receiver import Receiver, is_public, parse_receiver
from orchestrator.domain.webhook import Answer

SECONDS = 10.0  # for all of a try, the resolver's own time aside
STEP_SECONDS = 5.0  # for each read and write of it
MAX_ERROR_LENGTH = 300
_TIMEOUTS = dict.fromkeys(("connect", "read", "write", "pool"), STEP_SECONDS)

Resolve = Callable[[str, int], Sequence[str]]  # from a host and port to IP addresses; raises OSError


def system_addresses(host: str, port: int) -> Sequence[str]:
    """By the resolver of this machine, which has its own patience."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("no such name can be") from error
    return [str(address[0]) for *_, address in found]


class GuardedSender:
    """`allowed`: `host:port`s that may do without TLS and stand at any address. `tls` says whose certificates are good,
    `resolve` what names stand for, and `network` makes the connections."""

    def __init__(
        self,
        *,
        allowed: Collection[str] = (),
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = system_addresses,
        network: httpcore2.NetworkBackend | None = None,
    ) -> None:
        self._allowed = frozenset(allowed)
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve
        self._network = network or httpcore2.SyncBackend()

    def send(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            receiver = parse_receiver(url, self._allowed)
            return Answer(self._post(receiver, headers, body))
        except (Rejected, _AddressRefused) as error:
            return Answer(error=str(error), is_final=True)
        except httpcore2.TimeoutException:
            return Answer(error="the receiver did not answer in time")
        except httpcore2.ProtocolError:
            return Answer(error="the receiver did not answer in HTTP")
        except (httpcore2.NetworkError, OSError) as error:
            return Answer(error=f"the receiver could not be reached: {error}"[:MAX_ERROR_LENGTH])

    def _post(self, receiver: Receiver, headers: Mapping[str, str], body: bytes) -> int:
        is_trusted = receiver.name in self._allowed
        network = _GuardedNetwork(self._network, self._resolve, self._seconds, is_trusted=is_trusted)
        url = httpcore2.URL(
            scheme="https" if receiver.is_tls else "http",
            host=receiver.host,
            port=receiver.port,
            target=receiver.target,
        )
        sent = {"User-Agent": "Lorry", "Content-Type": "application/json", **headers}
        with (
            httpcore2.ConnectionPool(ssl_context=self._tls, network_backend=network) as pool,
            pool.stream(
                "POST", url, headers=list(sent.items()), content=body, extensions={"timeout": _TIMEOUTS}
            ) as response,
        ):
            return int(response.status)


class _AddressRefused(Exception):
    """Not an error of the network, which the pool would take for one to try again."""


class _GuardedNetwork(httpcore2.NetworkBackend):
    """Connects to judged addresses only, and for so many seconds."""

    def __init__(
        self, network: httpcore2.NetworkBackend, resolve: Resolve, seconds: float, *, is_trusted: bool
    ) -> None:
        self._network = network
        self._resolve = resolve
        self._seconds = seconds
        self._is_trusted = is_trusted

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._resolve(host, port)
        if not self._is_trusted and not all(map(is_public, addresses)):
            raise _AddressRefused(f"{host} stands for an address that is not of the internet")
        stream = self._network.connect_tcp(addresses[0], port, timeout, local_address, socket_options)
        return DeadlineStream(stream, time.monotonic() + self._seconds)
