"""A hub on loopback, and the real client before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from orchestrator.adapters.huggingface import HuggingFaceHub
from tests.integration.huggingface.hub_server import HubServer


@pytest.fixture
def server() -> Iterator[HubServer]:
    server = HubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connect(server: HubServer) -> Callable[..., HuggingFaceHub]:
    """`connect(token=...)`: a client that gives an answer a second to go on."""

    def build(token: str | None = None) -> HuggingFaceHub:
        return HuggingFaceHub(endpoint=server.url, token=token, stall_seconds=1)

    return build


@pytest.fixture
def hub(connect: Callable[..., HuggingFaceHub]) -> HuggingFaceHub:
    return connect()
