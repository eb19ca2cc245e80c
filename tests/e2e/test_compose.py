"""compose.yaml on the real engine: two halves that trust each other little, and jobs that outlive both."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from docker import APIClient

from tests.e2e.compose_project import SERVICES, SOCKET, ComposeProject
from tests.e2e.installation import UNHURRIED, User
from tests.waiting import eventually

pytestmark = pytest.mark.docker

_HALVES = ("api", "orchestrator")
_HEALTHY_SECONDS = 180.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, _engine_client: APIClient) -> Iterator[ComposeProject]:
    """Up, and every service healthy. The tests of this module share it; afterwards `down` must leave nothing."""
    name = f"lorry-tests-{os.getpid()}-compose"
    project = ComposeProject(tmp_path_factory.mktemp("compose"), name, _engine_client)
    with ExitStack() as cleanup:
        cleanup.callback(project.close)
        project.run("up", "-d")
        for service in SERVICES:
            eventually(
                lambda service=service: project.health(service) == "healthy",
                within_seconds=_HEALTHY_SECONDS,
                what=f"a healthy {service}",
            )
        yield project
    assert project.left_overs() == []


@pytest.fixture(scope="module")
def alice(project: ComposeProject) -> Iterator[User]:
    user = project.user_of_token("alice")
    yield user
    user.http.close()


def test_a_job_runs_end_to_end_and_its_adapter_is_downloaded(alice):
    job_id = alice.start("compose")
    alice.wait(job_id, "completed")

    adapter = next(each for each in alice.records(job_id, "artifacts") if each["kind"] == "adapter")
    answer = alice.http.get(f"/artifacts/{adapter['id']}/download")
    assert answer.status_code == 200, answer.text
    assert hashlib.sha256(answer.content).hexdigest() == adapter["sha256"]
    assert alice.records(job_id, "logs")


def test_it_is_ready_when_the_orchestrator_has_looked_at_the_engine(project):
    def ready() -> bool:
        return httpx2.get(f"{project.url}/api/ready", timeout=UNHURRIED, trust_env=False).is_success

    eventually(ready, what="a ready installation")


def test_a_job_outlives_a_restart_of_the_orchestrator_and_runs_once(project, alice):
    job_id = alice.start("fake:gate=1")
    alice.wait(job_id, "running")

    project.run("restart", "orchestrator")
    (project.data_dir / "outputs" / job_id / "gate").touch()

    alice.wait(job_id, "completed")
    assert len((project.data_dir / "outputs" / job_id / "starts.log").read_text().splitlines()) == 1


def test_the_api_has_no_socket_and_no_way_to_the_engine(project):
    sources = [mount["Source"] for mount in project.inspect("api")["Mounts"]]
    assert not [source for source in sources if "docker" in source or source in ("/", "/var", "/run", "/var/run")]
    attempt = f"import socket; print(socket.socket(socket.AF_UNIX).connect_ex({SOCKET!r}))"
    assert project.python("api", attempt) == "2"  # no such file
    assert project.python("orchestrator", attempt) == "0"


def test_the_api_writes_where_uploads_go_and_nowhere_else(project):
    mounts = {mount["Destination"]: mount["RW"] for mount in project.inspect("api")["Mounts"]}
    secret = mounts.pop("/run/secrets/lorry_database_password")
    assert not secret
    assert mounts == {
        str(project.data_dir / name): name == "datasets" for name in ("datasets", "artifacts", "logs", "models")
    }


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_an_unprivileged_user_on_a_read_only_file_system(project, service):
    inspected = project.inspect(service)
    host = inspected["HostConfig"]
    assert inspected["Config"]["User"] == ("999:999" if service == "db" else project.user)
    assert (host["ReadonlyRootfs"], host["Privileged"]) == (True, False)
    assert (host["CapDrop"], host["CapAdd"]) == (["ALL"], None)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert project.capabilities(service) == set()


@pytest.mark.parametrize("service", _HALVES)
def test_a_half_cannot_write_outside_the_data_folder_and_has_no_tools_for_mischief(project, service):
    program = """
import os, shutil
print([tool for tool in ("gcc", "cc", "make", "docker") if shutil.which(tool)])
print([folder for folder in ("/", "/etc", "/opt/venv", "/usr/local", "/var/tmp") if os.access(folder, os.W_OK)])
"""
    assert project.python(service, program).splitlines() == ["[]", "[]"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_password_is_in_a_file_and_nothing_else_that_the_engine_knows(project, service):
    assert project.password not in json.dumps(project.inspect(service))


def test_the_database_is_dumped_as_the_documentation_says(project, alice):
    job_id = alice.start("compose")
    assert job_id in project.run("exec", "-T", "db", "pg_dump", "--username", "lorry", "lorry")
    alice.wait(job_id, "completed")


def test_only_this_machine_reaches_the_api_and_nobody_the_database(project):
    [published] = project.inspect("api")["NetworkSettings"]["Ports"]["8000/tcp"]
    assert published["HostIp"] == "127.0.0.1"
    assert not project.inspect("db")["HostConfig"]["PortBindings"]
    assert not project.inspect("orchestrator")["HostConfig"]["PortBindings"]
