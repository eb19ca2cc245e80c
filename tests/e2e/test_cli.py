"""Stories of a user with a shell: the real `lorry`, a real `lorry serve`, the real engine, the fake trainer."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo import PHOTOGRAPHS
from cli.demo_server import DemoServer
from tests.waiting import DEADLINE_SECONDS, eventually

pytestmark = pytest.mark.docker

LORRY = (sys.executable, "-m", "cli.main")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LORRY_IMAGE", "lorry-fake-trainer")
        environment.setenv("LORRY_SUBMIT_RATE", "1000/minute")
        server = DemoServer(tmp_path_factory.mktemp("server"))
    with server:
        yield server


class Shell:
    """A user's shell: an empty home, the server's address and a token in the environment."""

    def __init__(self, server: DemoServer, user: str, home: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LORRY_")}
        token = server.create_token(user)
        self.environment = inherited | {"HOME": str(home), "LORRY_URL": server.url, "LORRY_TOKEN": token}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*LORRY, *arguments),
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen((*LORRY, *arguments), env=self.environment, stdout=subprocess.PIPE, text=True)

    def status(self) -> str:
        return json.loads(self.run("jobs", "--json").stdout)["data"][0]["status"]

    def wait_until(self, status: str) -> None:
        """Until this user's newest job has `status`."""
        eventually(lambda: self.status() == status, what=f"job {status}")


@pytest.fixture
def shell(server: DemoServer, tmp_path: Path, request: pytest.FixtureRequest) -> Shell:
    return Shell(server, f"user of {request.node.name}", tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = tmp_path / "گربه"
    shutil.copytree(PHOTOGRAPHS, pictures)
    return pictures


def submit(shell: Shell, dataset: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell.run("submit", dataset, "--base-model", "lorry/tiny-sd15", *arguments)


def test_from_a_folder_to_files_on_disk(shell: Shell, folder: Path, tmp_path: Path) -> None:
    watched = submit(shell, str(folder), "--name", "گربه", "--steps", "100", "--set", "seed=7", "--watch", "--json")
    assert watched.returncode == 0, watched.stderr
    job = json.loads(watched.stdout)
    assert (job["status"], job["name"], job["config"]["seed"], job["train_count"]) == ("completed", "گربه", 7, 9)
    downloaded = shell.run("download", job["id"], "--into", str(tmp_path / "files"), "--json")
    files = {file["path"]: file for file in json.loads(downloaded.stdout)}
    assert "adapter.safetensors" in files
    for file in files.values():
        assert hashlib.sha256(Path(file["saved_as"]).read_bytes()).hexdigest() == file["sha256"]
    assert f"fake trainer: job {job['id']}" in shell.run("logs", job["id"], "--follow").stdout
    assert "completed" in shell.run("jobs", "--status", "completed").stdout
    assert "گربه" in shell.run("datasets", "list").stdout
    assert "lorry/tiny-sd15" in shell.run("models", "list").stdout


def test_a_job_that_fails_ends_the_watch_with_its_reason(shell: Shell, folder: Path) -> None:
    ended = submit(shell, str(folder), "--trigger", "fake:exit=14", "--watch")
    assert ended.returncode == 1
    assert "failed (loss_not_finite)" in ended.stderr


def test_a_running_job_can_be_cancelled(shell: Shell, folder: Path) -> None:
    job_id = submit(shell, str(folder), "--trigger", "fake:hang=1").stdout.strip()
    shell.wait_until("running")
    assert shell.run("cancel", job_id, "--reason", "changed my mind").returncode == 0
    watched = shell.run("watch", job_id)
    assert watched.returncode == 1
    assert "cancelled (cancel_requested)" in watched.stderr


def test_control_c_leaves_a_watched_job_running(shell: Shell, folder: Path) -> None:
    job_id = submit(shell, str(folder), "--trigger", "fake:hang=1").stdout.strip()
    watching = shell.start("watch", job_id)
    assert watching.stdout is not None
    assert watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    assert watching.wait(DEADLINE_SECONDS) == 130
    watching.stdout.close()
    shell.wait_until("running")
    shell.run("cancel", job_id)
    shell.wait_until("cancelled")


def test_every_wrong_option_is_named_at_once(shell: Shell, folder: Path) -> None:
    refused = submit(shell, str(folder), "--steps", "1", "--rank", "1000", "--set", "seed=-1")
    assert refused.returncode == 3
    for field in ("steps", "lora_rank", "seed"):
        assert field in refused.stderr


def test_a_stranger_sees_nothing_of_a_job(shell: Shell, folder: Path, server: DemoServer, tmp_path: Path) -> None:
    job_id = json.loads(submit(shell, str(folder), "--watch", "--json").stdout)["id"]
    stranger = Shell(server, "a stranger", tmp_path)
    for command in ("watch", "logs", "download", "cancel"):
        refused = stranger.run(command, job_id)
        assert (refused.returncode, "NOT_FOUND" in refused.stderr) == (3, True), refused.stderr
    assert stranger.run("jobs").stdout == "No jobs.\n"


def test_an_unknown_token_is_refused_and_not_repeated_to_anybody(shell: Shell) -> None:
    refused = shell.run("jobs", LORRY_TOKEN="lorry_no-such-token")
    assert refused.returncode == 3
    assert "no-such-token" not in refused.stderr


def test_doctor_is_content_here_and_says_what_to_do_elsewhere(shell: Shell, tmp_path: Path) -> None:
    here = {"LORRY_DATA_DIR": str(tmp_path / "data"), "LORRY_IMAGE": "lorry-fake-trainer"}
    content = shell.run("doctor", **here)
    assert content.returncode == 0, content.stdout
    elsewhere = shell.run("doctor", "--json", **here | {"LORRY_IMAGE": "no-such-image", "LORRY_PROT": "1"})
    assert elsewhere.returncode == 1
    levels = {finding["subject"]: finding["level"] for finding in json.loads(elsewhere.stdout)}
    assert (levels["image"], levels["settings"]) == ("failing", "warning")
    assert levels["engine"] != "failing", "an engine without live-restore is warned of, and works"


def test_doctor_survives_an_engine_that_is_not_there(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("doctor", LORRY_DATA_DIR=str(tmp_path), LORRY_DOCKER_HOST=f"unix://{tmp_path}/no.sock")
    assert ended.returncode == 1
    assert "LORRY_DOCKER_HOST" in ended.stdout
    assert "Traceback" not in ended.stderr
