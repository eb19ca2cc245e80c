"""Installations to break. Whatever a test did to one, the invariants hold afterwards."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from docker import APIClient

from tests.conftest import ENGINE_URL
from tests.e2e.installation import Installation, User
from tests.faults import invariants, kill_points
from tests.faults.engine_proxy import EngineProxy
from tests.faults.private_engine import PrivateEngine
from tests.waiting import eventually

MakeInstallation = Callable[..., Installation]
StartProxy = Callable[[], EngineProxy]
StartPrivateEngine = Callable[..., PrivateEngine]

# Patience that fits a test.
HURRIED = {
    "LORRY_RETRY_DELAY_SECONDS": "0.2",
    "LORRY_ORPHAN_GRACE_SECONDS": "2",
    "LORRY_STOP_GRACE_SECONDS": "1",
    "LORRY_SUBMIT_RATE": "100000/minute",
}

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("docker")


@pytest.fixture
def start_proxy(tmp_path: Path) -> Iterator[StartProxy]:
    """`start_proxy()`: one more proxy in front of the real engine."""
    with ExitStack() as cleanup:
        yield lambda: cleanup.enter_context(
            closing(EngineProxy(tmp_path / f"proxy-{next(_numbers)}.sock", ENGINE_URL.removeprefix("unix://")))
        )


@pytest.fixture
def engine_proxy(start_proxy: StartProxy) -> EngineProxy:
    return start_proxy()


@pytest.fixture
def start_private_engine(tmp_path: Path, _engine_client: APIClient) -> Iterator[StartPrivateEngine]:
    """`start_private_engine(live_restore=True)`: a second engine with the fake trainer's image, to be killed."""
    with ExitStack() as cleanup:
        yield lambda **options: cleanup.enter_context(
            closing(PrivateEngine(tmp_path / "engine", _engine_client, **options))
        )


@pytest.fixture
def installations() -> list[Installation]:
    """Those whose invariants are checked after the test."""
    return []


@pytest.fixture
def install(
    tmp_path_factory: pytest.TempPathFactory,
    _engine_client: APIClient,
    installations: list[Installation],
    start_proxy: StartProxy,  # what it starts outlives the installations
    start_private_engine: StartPrivateEngine,  # the same
) -> Iterator[MakeInstallation]:
    """`install(LORRY_X="1")`: an installation of this test's own; nothing of it runs yet."""
    with ExitStack() as cleanup:

        def make(client: APIClient = _engine_client, **settings: str) -> Installation:
            installation = new_installation(tmp_path_factory, client, **settings)
            installations.append(installation)
            return cleanup.enter_context(closing(installation))

        yield make


@pytest.fixture(scope="session")
def _shared_site(tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient) -> Iterator[Installation]:
    site = new_installation(tmp_path_factory, _engine_client, LORRY_SUBMIT_WAIT_SECONDS="0")
    with closing(site):
        site.serve("api")
        # The model is built at the first start: no test is to be killed there instead of at its own point.
        site.start("orchestrate")
        model = site.data_dir / "models" / "lorry--tiny-sd15"
        eventually(model.exists, what="the built-in model")
        site.stop_orchestrators()
        yield site


@pytest.fixture
def site(_shared_site: Installation, installations: list[Installation]) -> Installation:
    """An API that many tests share, and no orchestrator: each test starts those that it kills."""
    _shared_site.stop_orchestrators()
    installations.append(_shared_site)
    return _shared_site


@pytest.fixture
def alice(site: Installation, request: pytest.FixtureRequest) -> User:
    """A user of the site that no other test knows."""
    return site.user(f"alice of {request.node.name}")


@pytest.fixture
def crash(site: Installation) -> Callable[[str], None]:
    """`crash("after_create")`: run the site's orchestrator until it has killed itself there."""

    def run(point: str) -> None:
        process = site.start("orchestrate", program=kill_points.PROGRAM, CRASH_AT=point)
        eventually(lambda: not process.is_alive, what=f"death {point}")
        assert process.popen.returncode == -signal.SIGKILL, process.output.read_text()

    return run


@pytest.fixture(autouse=True)
def _invariants_hold(install: MakeInstallation, installations: list[Installation]) -> Iterator[None]:
    yield
    for installation in installations:
        invariants.check(installation)


def new_installation(temporary: pytest.TempPathFactory, client: APIClient, **settings: str) -> Installation:
    """One whose containers are swept by the next test run should this one be killed."""
    number = next(_numbers)
    instance = f"lorry-tests-{os.getpid()}-faults-{number}"
    return Installation(temporary.mktemp(f"installation-{number}"), instance, client, **{**HURRIED, **settings})
