"""A Docker Engine of a test's own, to be killed and started again; it shares nothing with the machine's engine."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException

from tests.waiting import eventually

IMAGE = "lorry-fake-trainer"
_STARTED_WITHIN_SECONDS = 60.0
_STOPPED_WITHIN_SECONDS = 30.0
_CGROUPS = Path("/sys/fs/cgroup")


class PrivateEngine:
    """Runs as soon as it is made, and holds the fake trainer's image. Needs root and `dockerd` on this machine."""

    def __init__(self, folder: Path, donor: APIClient, *, live_restore: bool = False) -> None:
        self._name = f"lorry-tests-{uuid.uuid4().hex[:8]}"
        # Socket paths are at most 107 bytes, which a test's folder can exceed.
        self._folder = Path("/tmp") / self._name  # noqa: S108 - named by a random word
        self._log = folder.with_suffix(".log")
        self._live_restore = live_restore
        self._dockerd: subprocess.Popen[bytes] | None = None
        self._folder.mkdir(mode=0o700)
        self.url = f"unix://{self._folder}/docker.sock"
        self.start()
        self.client = APIClient(base_url=self.url, version="auto", timeout=60)
        self.client.load_image(donor.get_image(IMAGE))

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._dockerd = subprocess.Popen(self._command(), stdout=log, stderr=log)
        eventually(self._answers, within_seconds=_STARTED_WITHIN_SECONDS, what=f"a second dockerd; see {self._log}")

    def kill(self) -> None:
        """SIGKILL, as the kernel does it: the containers live on, but nobody answers for them."""
        self._end(signal.SIGKILL)
        # Its containerd dies with it. Where nobody reaps orphans the dead process keeps its pid, and the next dockerd
        # would take what the file names for a containerd that lives.
        (self._folder / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)

    def close(self) -> None:
        if self._dockerd is None or self._dockerd.poll() is not None:
            self.start()  # only an engine that lives can take its containers away
        with contextlib.suppress(DockerException, OSError):
            for container in self.client.containers(all=True):
                self.client.remove_container(container["Id"], force=True, v=True)
            self.client.close()
        self._end(signal.SIGTERM)
        for mount in self._mounts():
            subprocess.run(("umount", "--lazy", mount), check=False)
        shutil.rmtree(self._folder)
        self._remove_cgroups()

    def _command(self) -> list[str]:
        command = [
            "dockerd",
            f"--data-root={self._folder}/data",
            f"--exec-root={self._folder}/exec",
            f"--pidfile={self._folder}/pid",
            f"--host={self.url}",
            "--bridge=none",
            "--iptables=false",
            "--ip-forward=false",
            "--ip-masq=false",
            f"--containerd-namespace={self._name}",
            f"--containerd-plugins-namespace={self._name}-plugins",
            f"--cgroup-parent=/{self._name}",
        ]
        return [*command, "--live-restore"] if self._live_restore else command

    def _answers(self) -> bool:
        assert self._dockerd is not None
        assert self._dockerd.poll() is None, self._log.read_text()[-2000:]
        try:
            with contextlib.closing(APIClient(base_url=self.url, version="auto", timeout=5)) as client:
                return bool(client.ping())
        except DockerException:
            return False

    def _end(self, number: signal.Signals) -> None:
        assert self._dockerd is not None
        self._dockerd.send_signal(number)
        self._dockerd.wait(_STOPPED_WITHIN_SECONDS)

    def _remove_cgroups(self) -> None:
        """One in each hierarchy; the engine leaves those that it made for its containers' parent."""
        for cgroup in (*_CGROUPS.glob(self._name), *_CGROUPS.glob(f"*/{self._name}")):
            for folder in (*sorted(cgroup.rglob("*/"), reverse=True), cgroup):
                folder.rmdir()

    def _mounts(self) -> list[str]:
        """Deepest first."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        targets = [line.split()[4] for line in lines]
        return sorted((target for target in targets if target.startswith(str(self._folder))), reverse=True)
