"""Installations to play the user of, shared by many tests or a test's own, and a browser for some of their users."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from docker import APIClient
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.installation import Installation, User
from tests.e2e.training import Trained, train
from tests.integration.huggingface.hub_server import MODEL, PARTS, HubServer

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


@pytest.fixture(scope="session")
def training_server(tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient) -> Iterator[Installation]:
    """The same with the real trainer, whose jobs take their time."""
    with ExitStack() as cleanup:
        installation = _installation(tmp_path_factory, _engine_client, cleanup, LORRY_IMAGE="training-image")
        installation.serve()
        installation.wait_until_ready()
        yield installation


@pytest.fixture(scope="session")
def trained(training_server: Installation) -> Trained:
    """The one LoRA that the real trainer makes for all who only look at it."""
    return train(training_server)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "No chromium here; tests/chromium.sh installs it."
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        # Without its sandbox, which root may not have; it only ever loads our own pages.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def user(lorry_server: Installation, request: pytest.FixtureRequest) -> User:
    return lorry_server.user(f"user of {request.node.name}")


@pytest.fixture
def stranger(lorry_server: Installation, request: pytest.FixtureRequest) -> User:
    return lorry_server.user(f"stranger to {request.node.name}")


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """A model hub of the tests' own."""
    server = HubServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hub_catalogue(tmp_path: Path) -> Path:
    """A catalogue whose one model lies on `hub`."""
    catalogue = tmp_path / "models.json"  # JSON is YAML
    line = {"id": MODEL, "family": "sd15", "source": "huggingface", "revision": "main", "licence": "MIT"}
    catalogue.write_text(json.dumps({"models": [{**line, "parts": PARTS}]}))
    return catalogue
