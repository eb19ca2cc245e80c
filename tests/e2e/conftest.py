"""Installations to play the user of: one that many tests share, and others that a test has to itself."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from docker import APIClient

from tests.e2e.installation import Installation, User

MakeInstallation = Callable[..., Installation]

_numbers = itertools.count(1)


def _installation(
    temporary: pytest.TempPathFactory, client: APIClient, cleanup: ExitStack, **settings: str
) -> Installation:
    number = next(_numbers)
    # Named like every test's containers, so that those of a killed test run are swept by the next one.
    instance = f"lorry-tests-{os.getpid()}-e2e-{number}"
    installation = Installation(temporary.mktemp(f"installation-{number}"), instance, client, **settings)
    return cleanup.enter_context(closing(installation))


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient) -> Iterator[MakeInstallation]:
    """`install(LORRY_X="1")`: an installation of this test's own; nothing of it runs yet."""
    with ExitStack() as cleanup:
        yield lambda **settings: _installation(tmp_path_factory, _engine_client, cleanup, **settings)


@pytest.fixture(scope="module")
def install_for_module(
    tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient
) -> Iterator[MakeInstallation]:
    """`install` for installations that the tests of one module share."""
    with ExitStack() as cleanup:
        yield lambda **settings: _installation(tmp_path_factory, _engine_client, cleanup, **settings)


@pytest.fixture(scope="session")
def lorry_server(tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient) -> Iterator[Installation]:
    """A running `lorry serve` with the fake trainer. Tests share it: each is a user of its own."""
    with ExitStack() as cleanup:
        installation = _installation(tmp_path_factory, _engine_client, cleanup)
        installation.serve()
        installation.wait_until_ready()
        yield installation


@pytest.fixture
def user(lorry_server: Installation, request: pytest.FixtureRequest) -> User:
    return lorry_server.user(f"user of {request.node.name}")


@pytest.fixture
def stranger(lorry_server: Installation, request: pytest.FixtureRequest) -> User:
    return lorry_server.user(f"stranger to {request.node.name}")
