"""compose.yaml as an operator has it: a folder for the data, a file with the password, a file of variables."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

from docker import APIClient

from orchestrator.domain.container import LABEL_INSTANCE
from tests.e2e.installation import User

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("api", "orchestrator", "db")
SOCKET = "/var/run/docker.sock"
_SERVED = ("datasets", "artifacts", "logs", "models")
_COMMAND_SECONDS = 120.0


class ComposeProject:
    """One project on the real engine; its training containers are fake ones."""

    def __init__(self, folder: Path, name: str, client: APIClient) -> None:
        self.name = name
        self.data_dir = folder / "data"
        self.password = secrets.token_urlsafe(24)
        self._client = client
        self._variables = folder / "variables"
        # Lorry runs as a stranger to this machine, or as whoever runs the tests when that cannot be arranged.
        self.user = "10001:10001" if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}"
        self._make_folders(folder)
        self._write_variables(folder)

    def _make_folders(self, folder: Path) -> None:
        secrets_dir = folder / "secrets"
        secrets_dir.mkdir(mode=0o700)
        (secrets_dir / "database_password").write_text(self.password + "\n")
        for path in (self.data_dir, *(self.data_dir / name for name in _SERVED)):
            path.mkdir(mode=0o750)
            if os.getuid() == 0:
                os.chown(path, *map(int, self.user.split(":")))

    def _write_variables(self, folder: Path) -> None:
        variables = {
            "LORRY_DATA_DIR": self.data_dir,
            "LORRY_INSTANCE": self.name,
            "LORRY_IMAGE": "lorry-fake-trainer",
            "LORRY_GPUS": "none",
            "LORRY_REQUEST_RATE": "100000/minute",  # tests wait impatiently
            "RUN_AS": self.user,
            "DOCKER_GID": Path(SOCKET).stat().st_gid,
            "SECRETS_DIR": folder / "secrets",
            "API_ADDRESS": "127.0.0.1:0",
            "POSTGRES_IMAGE": "lorry-tests-postgres",
        }
        self._variables.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))

    def run(self, *arguments: str) -> str:
        """What `docker-compose ...` printed; it must succeed."""
        program = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
        done = subprocess.run(
            (
                *program,
                "--env-file",
                str(self._variables),
                "-p",
                self.name,
                "-f",
                str(ROOT / "compose.yaml"),
                *arguments,
            ),
            env={name: value for name, value in os.environ.items() if not name.startswith(("LORRY_", "COMPOSE_"))},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def user_of_token(self, name: str) -> User:
        """As docs/compose.md says to make one."""
        token = self.run("exec", "-T", "api", "lorry", "token", "create", "--user", name).strip()
        return User(self.url, token)

    @property
    def url(self) -> str:
        return f"http://{self.run('port', 'api', '8000').strip()}"

    def inspect(self, service: str) -> dict[str, Any]:
        details: dict[str, Any] = self._client.inspect_container(self._container(service)["Id"])
        return details

    def health(self, service: str) -> str:
        return str(self.inspect(service)["State"]["Health"]["Status"])

    def python(self, service: str, program: str) -> str:
        """What a line of Python prints inside a half."""
        return self.run("exec", "-T", service, "python", "-c", program).strip()

    def capabilities(self, service: str) -> set[str]:
        """Of the program itself, as the kernel says: an empty set is one of zeros."""
        status = self.run("exec", "-T", service, "sh", "-c", "while read line; do echo $line; done </proc/1/status")
        return set(re.findall(r"^Cap\w+: 0*([1-9a-f][0-9a-f]*)$", status, re.MULTILINE))

    def left_overs(self) -> list[Any]:
        """Containers, networks and volumes of this project, and containers of its jobs."""
        project = {"label": f"com.docker.compose.project={self.name}"}
        jobs = {"label": f"{LABEL_INSTANCE}={self.name}"}
        return [
            *self._client.containers(all=True, filters=project),
            *self._client.containers(all=True, filters=jobs),
            *self._client.networks(filters=project),
            *self._client.volumes(filters=project)["Volumes"],
        ]

    def close(self) -> None:
        self.run("down", "--volumes", "--timeout", "15")
        for container in self._client.containers(all=True, filters={"label": f"{LABEL_INSTANCE}={self.name}"}):
            self._client.remove_container(container["Id"], force=True, v=True)

    def _container(self, service: str) -> dict[str, Any]:
        labels = [f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}"]
        [container] = self._client.containers(all=True, filters={"label": labels})
        return dict(container)
