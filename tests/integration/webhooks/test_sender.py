"""What is sent to a receiver and what never is, over real connections to this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from orchestrator.adapters.webhooks import GuardedSender
from tests.certificate import tls_contexts
from tests.receiver import Receiver, running_receiver, status

PUBLIC = "8.8.8.8"
BODY = b'{"type": "ping"}'
HEADERS = {"webhook-id": "id"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


class Network(httpcore2.NetworkBackend):
    """Remembers where to it was told to connect, and leads there what comes here."""

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._port = port

    def connect_tcp(self, host: str, port: int, *arguments: Any) -> httpcore2.NetworkStream:  # type: ignore[override]
        self.asked.append(host)
        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self._port, *arguments)


def test_an_allowed_receiver_gets_the_signed_body_as_it_is(receiver: Receiver) -> None:
    sender = GuardedSender(allowed=[receiver.name])
    answer = sender.send(f"{receiver.url}?from=lorry", headers=HEADERS, body=BODY)
    assert answer.status_code == 204
    (received,) = receiver.received
    assert (received.path, received.body, received.id) == ("/hook?from=lorry", BODY, "id")
    assert (received.headers["content-type"], received.headers["user-agent"]) == ("application/json", "Lorry")


def test_a_receiver_that_is_down_is_an_answer_and_no_error(receiver: Receiver) -> None:
    with running_receiver() as gone:
        pass
    answer = GuardedSender(allowed=[gone.name]).send(gone.url, headers=HEADERS, body=BODY)
    assert (answer.status_code, answer.is_final) == (None, False)
    assert "could not be reached" in (answer.error or "")


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, code: int) -> None:
    with running_receiver() as inside:
        receiver.answer = status(code, Location=inside.url)
        answer = GuardedSender(allowed=[receiver.name, inside.name]).send(receiver.url, headers=HEADERS, body=BODY)
        assert (answer.status_code, inside.received) == (code, [])


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["172.17.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], [PUBLIC, "::1"]]
)
def test_a_name_that_stands_for_an_address_inside_is_never_connected_to(
    receiver: Receiver, addresses: list[str]
) -> None:
    network = Network(receiver.port)
    sender = GuardedSender(resolve=lambda *_: addresses, network=network)
    answer = sender.send("https://hooks.example/", headers=HEADERS, body=BODY)
    assert answer.is_final
    assert "not of the internet" in (answer.error or "")
    assert network.asked == []


def test_a_name_that_nobody_knows_is_tried_again_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    answer = GuardedSender(resolve=unknown).send("https://hooks.example/", headers=HEADERS, body=BODY)
    assert (answer.is_final, answer.error) == (False, "the receiver could not be reached: Name or service not known")


def test_the_judged_address_is_connected_to_under_the_names_own_certificate(tmp_path: Path) -> None:
    server, trusting = tls_contexts(tmp_path, "hooks.example")
    with running_receiver(server) as receiver:
        answers = iter([[PUBLIC], ["127.0.0.1"]])  # the name is another's a moment later
        network = Network(receiver.port)
        sender = GuardedSender(tls=trusting, resolve=lambda *_: next(answers), network=network)
        assert sender.send("https://hooks.example/", headers=HEADERS, body=BODY).status_code == 204
        assert network.asked == [PUBLIC]
        assert receiver.received[0].headers["host"] == "hooks.example"
        assert sender.send("https://hooks.example/", headers=HEADERS, body=BODY).is_final
        assert len(receiver.received) == 1


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    server, trusting = tls_contexts(tmp_path, "other.example")
    with running_receiver(server) as receiver:
        sender = GuardedSender(tls=trusting, resolve=lambda *_: [PUBLIC], network=Network(receiver.port))
        answer = sender.send("https://hooks.example/", headers=HEADERS, body=BODY)
        assert "certificate verify failed" in (answer.error or "")
        assert receiver.received == []


def test_a_receiver_that_drips_its_answer_is_left_when_its_time_is_up(receiver: Receiver) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                handler.wfile.write(b"X: y\r\n")
                time.sleep(0.05)
        except OSError:
            pass

    receiver.answer = drip
    answer = GuardedSender(allowed=[receiver.name], seconds=0.5).send(receiver.url, headers=HEADERS, body=BODY)
    assert (answer.status_code, answer.error) == (None, "the receiver did not answer in time")


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    sent = []

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(1024**3))
        handler.end_headers()
        try:
            for _ in range(1024):
                handler.wfile.write(bytes(1024**2))
                sent.append(1024**2)
        except OSError:
            pass

    receiver.answer = flood
    answer = GuardedSender(allowed=[receiver.name]).send(receiver.url, headers=HEADERS, body=BODY)
    assert answer.status_code == 200
    assert sum(sent) < 64 * 1024**2  # no more than what the two ends hold for a connection


def test_what_does_not_speak_http_is_an_answer_and_is_not_quoted(receiver: Receiver) -> None:
    receiver.answer = lambda handler: handler.wfile.write(b"SSH-2.0-secret\r\n")
    answer = GuardedSender(allowed=[receiver.name]).send(receiver.url, headers=HEADERS, body=BODY)
    assert answer.error == "the receiver did not answer in HTTP"
