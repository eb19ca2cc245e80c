"""A `lorry serve` of the demo's own: its data directory, a free port, its log kept; stopped when the demo ends."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from cli.errors import CheckFailed

_LORRY = (sys.executable, "-m", "cli.main")
_READY = re.compile(r"^ready: (\S+)$", re.MULTILINE)
_READY_WITHIN_SECONDS = 60.0
_STOPPED_WITHIN_SECONDS = 30.0
_TAIL_LINES = 20
# The demo never touches an installation that this shell is set up for.
_OWN_SETTINGS = ("LORRY_DATABASE_URL", "LORRY_TOKEN", "LORRY_URL")


class DemoServer:
    """`url` is known once the context is entered."""

    def __init__(self, data_dir: Path) -> None:
        self.log = data_dir / "serve.log"
        self.url = ""
        # Containers of another demo, or of an installation, are not this one's to clean up.
        self.instance = f"demo-{hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]}"
        inherited = {name: value for name, value in os.environ.items() if name not in _OWN_SETTINGS}
        self._environment = inherited | {
            "LORRY_DATA_DIR": str(data_dir),
            "LORRY_HOST": "127.0.0.1",
            "LORRY_PORT": "0",
            "LORRY_INSTANCE": self.instance,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                (*_LORRY, "serve"),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the demo, which still needs the server to cancel its job
            )
        try:
            self.url = self._wait_until_ready(self._process)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """SIGTERM, as an operator's service manager would; SIGKILL only for a server that does not obey."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        """Of the running server."""
        if self._process is None:
            raise ValueError("the server has not been started")
        return self._process.pid

    def create_token(self, user: str) -> str:
        return self._run("token", "create", "--user", user, "--ttl", "1d")

    def create_sign_in_link(self, user: str) -> str:
        return self._run("token", "link", "--user", user, "--url", self.url)

    def _run(self, *arguments: str) -> str:
        command = (*_LORRY, *arguments)
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CheckFailed(f"`lorry {' '.join(arguments[:2])}` failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def log_tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_TAIL_LINES:])

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + _READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            ready = _READY.search(self.log.read_text(encoding="utf-8", errors="replace"))
            if ready is not None:
                return ready[1]
            if process.poll() is not None:
                raise CheckFailed(f"`lorry serve` ended with exit code {process.returncode} before it was ready.")
            time.sleep(0.05)
        raise CheckFailed(f"`lorry serve` was not ready within {_READY_WITHIN_SECONDS:.0f} s.")
