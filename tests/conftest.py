"""What every test has: no network but this machine, a data folder, an engine that is left as it was found."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from docker import APIClient
from docker.errors import APIError
from xdist.scheduler import LoadFileScheduling

from orchestrator.domain.container import LABEL_INSTANCE
from tests.postgres import Postgres, running_postgres

pytest.register_assert_rewrite("tests.contract")

ENGINE_URL = os.environ.get("LORRY_DOCKER_HOST", "unix:///var/run/docker.sock")
_INSTANCE_PREFIX = "lorry-tests-"
_instance_numbers = itertools.count(1)
_failed = pytest.StashKey[bool]()
# They share the one server with the real trainer, most of them also the one LoRA that it makes, which takes its time.
_ON_ONE_TRAINING = ("tests/e2e/test_seed_", "tests/e2e/test_training.py", "tests/e2e/web/test_web_training.py")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tests reach this machine and unix sockets, nothing else."""
    config.option.allow_hosts = "127.0.0.1,::1"
    config.option.allow_unix_socket = True
    # A shell starts what it puts into the background with SIGINT ignored; so would be every program that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


class _ByFile(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return "the real trainer" if nodeid.startswith(_ON_ONE_TRAINING) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    """In a run of several processes each file's tests run in one of them, in which they share their servers."""
    return _ByFile(config, log)


@pytest.fixture(autouse=True)
def _no_kept_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program keeps its modules' loggers as it sets them up first; here, each test sets up its own."""
    configure = structlog.configure
    monkeypatch.setattr(structlog, "configure", lambda **how: configure(**how | {"cache_logger_on_first_use": False}))


@pytest.fixture
def chance() -> random.Random:
    """Random faults that can be had again: pytest shows the seed of a test that failed."""
    seed = int(os.environ.get("LORRY_FAULT_SEED") or time.time_ns() % 2**32)
    print(f"LORRY_FAULT_SEED={seed}")  # noqa: T201 - see above
    return random.Random(seed)  # noqa: S311 - nothing secret


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker("docker")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that skips itself is a test that nobody runs."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("gpu") is None:
        _fail_in_ci(report)
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    # A report goes to the process that collects them as UTF-8, which half a surrogate pair in a log cannot.
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself while it is imported."""
    report = yield
    if report.skipped:
        _fail_in_ci(report)
    return report


def _fail_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where only gpu tests may be: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres of this test run's own."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@dataclass(frozen=True)
class Engine:
    """The real Docker Engine, and the instance label that this test's containers carry."""

    base_url: str
    instance: str
    client: APIClient

    def containers(self) -> list[dict[str, Any]]:
        """This test's containers, whatever their state."""
        listed: list[dict[str, Any]] = self.client.containers(
            all=True, filters={"label": f"{LABEL_INSTANCE}={self.instance}"}
        )
        return listed

    def inspect(self, container: str) -> dict[str, Any]:
        details: dict[str, Any] = self.client.inspect_container(container)
        return details


@pytest.fixture(scope="session")
def _engine_client() -> Iterator[APIClient]:
    client = APIClient(base_url=ENGINE_URL, version="auto", timeout=60)
    _sweep_dead_runs(client)
    yield client
    client.close()


@pytest.fixture
def engine(_engine_client: APIClient, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine on which this test's containers are removed afterwards, their logs shown when the test failed."""
    instance = f"{_INSTANCE_PREFIX}{os.getpid()}-{next(_instance_numbers)}"
    engine = Engine(ENGINE_URL, instance, _engine_client)
    yield engine
    for left in engine.containers():
        if request.node.stash.get(_failed, False):
            _print_log(_engine_client, left)
        _remove(_engine_client, left["Id"])


def _print_log(client: APIClient, container: dict[str, Any]) -> None:
    log = client.logs(container["Id"], tail=50).decode(errors="replace")
    print(f"--- {container['Names'][0]} ({container['Status']}):\n{log}")  # noqa: T201 - pytest shows it


def _sweep_dead_runs(client: APIClient) -> None:
    """Remove what test runs left behind whose process is gone; others may be running right now."""
    for container in client.containers(all=True, filters={"label": LABEL_INSTANCE}):
        instance = container["Labels"][LABEL_INSTANCE]
        pid = instance.removeprefix(_INSTANCE_PREFIX).partition("-")[0]
        if instance.startswith(_INSTANCE_PREFIX) and pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _remove(client, container["Id"])


def _remove(client: APIClient, container_id: str) -> None:
    try:
        client.remove_container(container_id, force=True, v=True)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise
