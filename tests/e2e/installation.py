"""A whole installation as its operator and its users see it: real processes, real HTTP, the real engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from docker import APIClient
from docker.errors import NotFound

from orchestrator.bootstrap import identity_service
from orchestrator.domain.container import LABEL_INSTANCE
from orchestrator.settings import Settings
from tests.factories import picture_bytes
from tests.waiting import DEADLINE_SECONDS, eventually

LORRY = (sys.executable, "-m", "cli.main")
FINAL = ("completed", "failed", "cancelled")
UNHURRIED = httpx2.Timeout(30.0)

_READY = re.compile(r"^ready: (\S+)$", re.MULTILINE)


class User:
    """Somebody with a bearer token."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self.http = httpx2.Client(
            base_url=f"{url}/api", headers={"Authorization": f"Bearer {token}"}, timeout=UNHURRIED, trust_env=False
        )

    def upload(self, files: Mapping[str, bytes] | None = None) -> str:
        """The id of a new dataset: of two pictures, or of `files`."""
        files = files or {"one.png": picture_bytes(64, 64), "two.png": picture_bytes(64, 48)}
        parts = [("files", (name, content)) for name, content in files.items()]
        answer = self.http.post("/datasets/upload", data={"name": "pictures"}, files=parts)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["id"]

    def submit(self, *trigger_words: str, **changes: Any) -> httpx2.Response:
        body: dict[str, Any] = {"type": "lora", "base_model": "lorry/tiny-sd15", "config": {}} | changes
        body["trigger_words"] = list(trigger_words)
        body["dataset_id"] = changes.get("dataset_id") or self.upload()
        return self.http.post("/training/submit", json=body)

    def start(self, *trigger_words: str, **changes: Any) -> str:
        """The id of a job that is accepted."""
        answer = self.submit(*trigger_words, **changes)
        assert answer.status_code == 200, answer.text
        return answer.json()["job_id"]

    def job(self, job_id: str) -> dict[str, Any]:
        return self.get(f"/training/jobs/{job_id}")

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def records(self, job_id: str, kind: str) -> list[dict[str, Any]]:
        """A job's `events`, `metrics`, `logs` or `artifacts`."""
        return self.get(f"/training/jobs/{job_id}/{kind}")

    def wait(self, job_id: str, *statuses: str, within_seconds: float = DEADLINE_SECONDS) -> dict[str, Any]:
        """The job once it has one of `statuses`."""

        def reached() -> dict[str, Any] | None:
            job = self.job(job_id)
            assert job["status"] in statuses or job["status"] not in FINAL, (job["status"], job["error_message"])
            return job if job["status"] in statuses else None

        return eventually(reached, within_seconds=within_seconds, what=f"job {' or '.join(statuses)}")


@dataclass
class Process:
    """One `lorry ...` in the background, its output in a file."""

    command: str
    popen: subprocess.Popen[bytes]
    output: Path

    @property
    def is_alive(self) -> bool:
        return self.popen.poll() is None

    @property
    def orchestrates(self) -> bool:
        return self.command in ("serve", "orchestrate")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after the signal."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        return self.popen.wait(DEADLINE_SECONDS)

    def wait_for(self, pattern: re.Pattern[str]) -> re.Match[str]:
        def found() -> re.Match[str] | None:
            text = self.output.read_text()
            match = pattern.search(text)
            assert match or self.popen.poll() is None, f"ended with exit code {self.popen.returncode}:\n{text}"
            return match

        return eventually(found, what=pattern.pattern)


class Installation:
    """A data folder, an instance label, the settings, and the processes that work on them."""

    def __init__(self, folder: Path, instance: str, client: APIClient, **settings: str) -> None:
        self.data_dir = folder / "data"
        self.instance = instance
        self.url = ""
        self.processes: list[Process] = []
        self._folder = folder
        self._engine = client
        self._users: dict[str, User] = {}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LORRY_")}
        self.environment = inherited | {
            "LORRY_DOCKER_HOST": os.environ.get("LORRY_DOCKER_HOST", "unix:///var/run/docker.sock"),
            "LORRY_DATA_DIR": str(self.data_dir),
            "LORRY_INSTANCE": instance,
            "LORRY_PORT": "0",
            "LORRY_IMAGE": "lorry-fake-trainer",
            "LORRY_GPUS": "none",
            "LORRY_CPU_SLOTS": "8",
            "LORRY_REQUEST_RATE": "100000/minute",  # tests wait impatiently
            **settings,
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return subprocess.run(
            (*LORRY, *arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )

    def start(self, command: str, *, program: Sequence[str] = LORRY, **environment: str) -> Process:
        """`lorry command`, or the same command of another program, with more variables in its environment."""
        output = self._folder / f"{command}-{len(self.processes)}.log"
        with output.open("wb") as file:
            popen = subprocess.Popen((*program, command), env=self.environment | environment, stdout=file, stderr=file)
        process = Process(command, popen, output)
        self.processes.append(process)
        return process

    def serve(self, command: str = "serve") -> Process:
        """A started process that takes requests at `url`."""
        process = self.start(command)
        self.url = process.wait_for(_READY)[1]
        return process

    def stop_orchestrators(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End those that are alive; a `serve` takes its API along."""
        for process in self.processes:
            if process.orchestrates:
                process.stop(number)

    def wait_until_ready(self) -> None:
        """As a load balancer does: until the orchestrator has looked at the engine for the first time."""
        eventually(
            lambda: self.probe("/ready").is_success,
            what="an installation that is ready",
        )

    def probe(self, path: str) -> httpx2.Response:
        """An answer that needs no token."""
        return httpx2.get(f"{self.url}/api{path}", timeout=UNHURRIED, trust_env=False)

    def user(self, name: str) -> User:
        token = identity_service(Settings(data_dir=self.data_dir, database_url=self.store_url)).issue(name)
        return self._users.setdefault(token, User(self.url, token))

    @property
    def store_url(self) -> str:
        return Settings(data_dir=self.data_dir, database_url=self.environment.get("LORRY_DATABASE_URL")).store_url

    def open_gate(self, job_id: str) -> None:
        """Let a fake trainer with the wish `gate` go on."""
        (self.data_dir / "outputs" / job_id / "gate").touch()

    def count_starts(self, job_id: str) -> int:
        """How often a fake trainer was started for this job."""
        starts = self.data_dir / "outputs" / job_id / "starts.log"
        return len(starts.read_text().splitlines()) if starts.exists() else 0

    def containers(self) -> list[dict[str, Any]]:
        """This installation's containers, whatever their state."""
        label = f"{LABEL_INSTANCE}={self.instance}"
        listed: list[dict[str, Any]] = self._engine.containers(all=True, filters={"label": label})
        return listed

    def inspect(self, job_id: str) -> dict[str, Any]:
        details: dict[str, Any] = self._engine.inspect_container(f"training-{job_id}")
        return details

    def wait_for_no_container(self) -> None:
        eventually(lambda: not self.containers(), what="no container left")

    def files_of(self, job_id: str) -> list[str]:
        """Files and empty folders in the data folder whose path names the job."""
        paths = (path for path in self.data_dir.rglob("*") if path.is_file() or not any(path.iterdir()))
        return sorted(str(path.relative_to(self.data_dir)) for path in paths if job_id in str(path))

    def close(self) -> None:
        for user in self._users.values():
            user.http.close()
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.kill()
                process.popen.wait()
        for left in self.containers():
            self._remove(left["Id"])

    def _remove(self, container_id: str) -> None:
        try:
            self._engine.remove_container(container_id, force=True, v=True)
        except NotFound:
            return
