"""Where a webhook may be sent."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Rejected
from orchestrator.domain.receiver import is_public, parse_receiver

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "172.17.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "fe80::1%eth0",
    "example.com",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "https://example.com:8443/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com/hook",
        "https://",
        "https:///hook",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://пример.example/",
        "https://example.com\\@127.0.0.1/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0177.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://169.254.169.254/latest/meta-data",
        f"https://example.com/{'x' * 2_000}",
    ],
)
def test_a_url_that_may_not_be_called_is_refused_when_it_is_given(url: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_receiver(url)
    assert refused.value.code == "WEBHOOK_URL_REFUSED"


def test_a_public_https_url_is_taken_apart_once() -> None:
    receiver = parse_receiver("https://Example.com/hook?from=lorry")
    assert (receiver.host, receiver.port, receiver.target, receiver.is_tls) == (
        "example.com",
        443,
        "/hook?from=lorry",
        True,
    )


def test_the_operator_may_vouch_for_a_receiver_but_not_for_its_neighbours() -> None:
    allowed = {"127.0.0.1:9000", "[::1]:9000"}
    assert not parse_receiver("http://127.0.0.1:9000/hook", allowed).is_tls
    assert parse_receiver("http://[::1]:9000", allowed).target == "/"
    for url in ("http://127.0.0.1:9001/hook", "http://127.0.0.1/hook", "http://localhost:9000/hook"):
        with pytest.raises(Rejected):
            parse_receiver(url, allowed)
