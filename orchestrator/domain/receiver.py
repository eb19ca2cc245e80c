"""Where a webhook may be sent: what an address of the internet is, and what leads back into this network.

Users name these addresses and Lorry calls them, which is how server-side request forgery works: a name is judged when
it is given, and every address it stands for when it is called.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_address
from urllib.parse import urlsplit

from orchestrator.domain.errors import Rejected

MAX_URL_LENGTH = 2_000
_HTTPS_PORT, _HTTP_PORT = 443, 80
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
# Addresses in which another one hides, which a router may take for one of its own network, and the sites' own of old.
_DISGUISES = ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
_NOT_OF_THE_INTERNET = tuple(map(IPv6Network, (*_DISGUISES, "fec0::/10")))


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook's URL, taken apart once, so that nobody reads it another way afterwards."""

    is_tls: bool
    host: str
    port: int
    target: str  # path and query

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_receiver(url: str, allowed: Collection[str] = ()) -> Receiver:
    """Raises Rejected (WEBHOOK_URL_REFUSED). `allowed`: `host:port`s the operator vouches for, which may do without
    TLS, listen on any port and stand at any address."""
    receiver = _parse(url)
    if receiver.name in allowed:
        return receiver
    if not receiver.is_tls or receiver.port != _HTTPS_PORT:
        raise _refused("must be https, on port 443")
    if _is_literal(receiver.host) and not is_public(receiver.host):
        raise _refused("leads to an address that is not of the internet")
    return receiver


def is_public(address: str) -> bool:
    """Whether this IP address is one of the internet, and no other one in disguise."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if any(found in network for network in _NOT_OF_THE_INTERNET):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def _parse(url: str) -> Receiver:
    if len(url) > MAX_URL_LENGTH or not _PRINTABLE.fullmatch(url):
        raise _refused(f"must be up to {MAX_URL_LENGTH} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("cannot be read") from None
    if parts.scheme not in ("http", "https"):
        raise _refused("must begin with https://")
    if "@" in parts.netloc or parts.fragment:
        raise _refused("must hold no user, password or fragment")
    if not _HOST.fullmatch(host) or port == 0:
        raise _refused("names no host")
    is_tls = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(is_tls, host, port or (_HTTPS_PORT if is_tls else _HTTP_PORT), target)


def _is_literal(host: str) -> bool:
    """An IP address in whatever notation a resolver takes for one, such as 2130706433 or 0x7f.1."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or last[:1].isdigit()


def _refused(why: str) -> Rejected:
    return Rejected(f"The webhook's url {why}.", code="WEBHOOK_URL_REFUSED")
