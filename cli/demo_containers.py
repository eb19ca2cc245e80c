"""What the demo shows of containers: the running one's restrictions, and the independent check in another one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.errors import CheckFailed
from cli.text import size

_WORKSPACE = "/workspace"
_DOCKER_HOST_VARIABLE = "LORRY_DOCKER_HOST"
_UNPRIVILEGED_USER = "10001:10001"
_VERIFY_WITHIN_SECONDS = 300


def describe_container(name: str) -> list[str]:
    """What `docker inspect` says about a container, in lines; none when it has ended already."""
    answer = _docker("inspect", "--type", "container", name)
    if answer.returncode != 0:
        return []
    facts = json.loads(answer.stdout)[0]
    host = facts["HostConfig"]
    mounts = (f"{mount['Destination']} {'rw' if mount['RW'] else 'ro'}" for mount in facts["Mounts"])
    return [
        f"user {facts['Config']['User']}, capabilities dropped: {_words(host['CapDrop'])}",
        f"security: {_words(host['SecurityOpt'])}",
        f"root file system {'read-only' if host['ReadonlyRootfs'] else 'writable'}, network {host['NetworkMode']}",
        f"memory {size(host['Memory'])}, at most {host['PidsLimit']} processes, devices: {_devices(host)}",
        f"mounts: {', '.join(sorted(mounts))}",
    ]


def verify_adapter(adapter: Path, models: Path, base_model: str, image: str) -> dict[str, Any]:
    """Load the file with diffusers, as its users will, in a container that knows nothing of the training.

    Raises CheckFailed when it does not load, or loads and changes nothing.
    """
    adapter.chmod(0o644)  # the container's user must read it, whatever our umask was
    answer = _docker(
        "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",  # noqa: S108
        "--security-opt", "no-new-privileges", "--user", _user(), "--pids-limit", "1024",
        "--mount", f"type=bind,src={models},dst={_WORKSPACE}/models,readonly",
        "--mount", f"type=bind,src={adapter},dst={_WORKSPACE}/outputs/{adapter.name},readonly",
        image,
        "python", "verify_adapter.py", "--base-model", f"{_WORKSPACE}/models/{base_model.replace('/', '--')}",
        "--adapter", f"{_WORKSPACE}/outputs/{adapter.name}",
    )  # fmt: skip
    if answer.returncode != 0:
        last_words = (answer.stderr or answer.stdout).strip().rpartition("\n")[2]
        raise CheckFailed(f"The independent check refused {adapter}: {last_words}")
    report: dict[str, Any] = json.loads(answer.stdout)
    return report


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    host = os.environ.get(_DOCKER_HOST_VARIABLE)
    command = ("docker", *(("--host", host) if host else ()), *arguments)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_VERIFY_WITHIN_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CheckFailed(f"Could not run `docker {arguments[0]}`: {error}") from error


def _user() -> str:
    return f"{os.getuid()}:{os.getgid()}" if os.getuid() else _UNPRIVILEGED_USER


def _words(values: Sequence[str] | None) -> str:
    return ", ".join(values or ["none"])


def _devices(host: dict[str, Any]) -> str:
    requested = [device for request in host["DeviceRequests"] or () for device in request.get("DeviceIDs") or ("all",)]
    return _words(requested)
