"""The engine's JSON as domain values."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestrator.adapters.docker.labels import attempt_number
from orchestrator.domain.administration import ContainerDetails, Usage
from orchestrator.domain.container import LABEL_JOB, Container, ContainerState, Mount
from orchestrator.domain.engine import EngineFacts

_NANO = 10**9


def engine_facts(info: Mapping[str, Any], version: Mapping[str, Any], *, is_local: bool) -> EngineFacts:
    """The answers of `GET /info` and `GET /version`; `is_local`: its folders are this machine's."""
    parts = {part["Name"]: part["Version"] for part in version.get("Components") or ()}
    data_root = info.get("DockerRootDir")
    return EngineFacts(
        engine_id=info["ID"],
        version=info["ServerVersion"],
        has_nvidia_runtime="nvidia" in (info.get("Runtimes") or {}),
        has_live_restore=bool(info.get("LiveRestoreEnabled", True)),
        runc_version=parts.get("runc"),
        data_root=data_root,
        data_root_free_bytes=_free_bytes(data_root) if is_local else None,
    )


def listed_container(entry: Mapping[str, Any]) -> Container:
    """One entry of `GET /containers/json`."""
    labels = entry.get("Labels") or {}
    names = entry.get("Names") or [""]
    return Container(
        id=entry["Id"],
        name=names[0].removeprefix("/"),
        job_id=labels.get(LABEL_JOB, ""),
        attempt=attempt_number(labels),
        state=ContainerState(entry["State"]),
        created_at=datetime.fromtimestamp(entry["Created"], UTC),
    )


def inspected_container(details: Mapping[str, Any]) -> Container:
    """The answer of `GET /containers/{id}/json`."""
    labels = details["Config"].get("Labels") or {}
    state = details["State"]
    finished_at = parse_instant(state.get("FinishedAt"))
    return Container(
        id=details["Id"],
        name=details["Name"].removeprefix("/"),
        job_id=labels.get(LABEL_JOB, ""),
        attempt=attempt_number(labels),
        state=ContainerState(state["Status"]),
        created_at=parse_instant(details["Created"]),
        started_at=parse_instant(state.get("StartedAt")),
        finished_at=finished_at,
        exit_code=None if finished_at is None else state["ExitCode"],
        is_oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        image_digest=details.get("Image"),
    )


def container_details(details: Mapping[str, Any]) -> ContainerDetails:
    """The answer of `GET /containers/{id}/json`; the engine says 0 for a limit that there is not."""
    host = details["HostConfig"]
    return ContainerDetails(
        image=details["Config"]["Image"],
        mounts=tuple(
            Mount(mount["Source"], mount["Destination"], is_read_only=not mount["RW"])
            for mount in details["Mounts"]
            if mount["Type"] == "bind"
        ),
        memory_bytes=host.get("Memory") or None,
        cpus=(host.get("NanoCpus") or 0) / _NANO or None,
        pids=host.get("PidsLimit") or None,
        shm_bytes=host.get("ShmSize") or None,
    )


def container_usage(stats: Mapping[str, Any]) -> Usage | None:
    """The answer of `GET /containers/{id}/stats`; None for a container that does not run."""
    at = parse_instant(stats.get("read"))
    if at is None:
        return None
    memory = stats["memory_stats"]
    # As `docker stats` does: pages of files that were read and can be dropped at any time are not counted.
    cache = memory.get("stats", {}).get("inactive_file") or memory.get("stats", {}).get("total_inactive_file") or 0
    return Usage(
        cpu_seconds=stats["cpu_stats"]["cpu_usage"]["total_usage"] / _NANO,
        memory_bytes=max(0, memory.get("usage", 0) - cache),
        pids=stats["pids_stats"].get("current", 0),
        at=at,
    )


def parse_instant(text: str | None) -> datetime | None:
    """An RFC 3339 instant; None for Docker's zero time, which means never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)


def _free_bytes(folder: str | None) -> int | None:
    """None when the folder is not to be seen from here, as from a container."""
    try:
        return shutil.disk_usage(folder).free if folder else None
    except OSError:
        return None
