"""The engine's JSON as domain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from orchestrator.adapters.docker.labels import attempt_number
from orchestrator.domain.container import LABEL_JOB, Container, ContainerState


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


def parse_instant(text: str | None) -> datetime | None:
    """An RFC 3339 instant; None for Docker's zero time, which means never."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(text).astimezone(UTC)
