"""ControlStore and ContainerStore over SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.adapters.sql.audit_log import insert_audit_entry
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import container_samples, maintenance, suspect_devices, training_jobs, user_limits
from orchestrator.domain.administration import ContainerDetails, ContainerSample, Maintenance
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.container import Container, ContainerState, Mount
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.lifecycle import JobStatus


class SqlControlStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def maintenance(self) -> Maintenance | None:
        with self._database.look() as connection:
            row = connection.execute(sa.select(maintenance)).mappings().one_or_none()
        return Maintenance(reason=row["reason"], actor=row["actor"], since=row["since"]) if row else None

    def begin_maintenance(self, begun: Maintenance, audit: AuditEntry) -> None:
        with self._database.write() as connection:
            newer = maintenance.update().values(reason=begun.reason, actor=begun.actor)
            if not connection.execute(newer).rowcount:
                connection.execute(maintenance.insert().values(id=1, **dataclasses.asdict(begun)))
            insert_audit_entry(connection, audit)

    def end_maintenance(self, audit: AuditEntry) -> None:
        with self._database.write() as connection:
            if connection.execute(maintenance.delete()).rowcount:
                insert_audit_entry(connection, audit)

    def limits(self) -> Mapping[str, int]:
        query = sa.select(user_limits.c.user_id, user_limits.c.max_active_jobs).order_by(user_limits.c.user_id)
        with self._database.look() as connection:
            return {row.user_id: row.max_active_jobs for row in connection.execute(query)}

    def set_limit(self, user_id: str, max_active_jobs: int | None, audit: AuditEntry, *, at: datetime) -> None:
        with self._database.write() as connection:
            connection.execute(user_limits.delete().where(user_limits.c.user_id == user_id))
            if max_active_jobs is not None:
                row = {"user_id": user_id, "max_active_jobs": max_active_jobs, "changed_at": at}
                connection.execute(user_limits.insert().values(row))
            insert_audit_entry(connection, audit)

    def set_priority(self, job_id: str, priority: int, audit: AuditEntry) -> None:
        job = training_jobs.c
        waits = (job.id == job_id, job.status == JobStatus.QUEUED)
        # `updated_at` is when the job began to wait, and stays; the version tells that somebody who knows changed it.
        change = training_jobs.update().where(*waits).values(priority=priority, version=job.version + 1)
        with self._database.write() as connection:
            if not connection.execute(change).rowcount:
                raise Conflict(f"Job {job_id} does not wait in the queue.", code="JOB_NOT_QUEUED")
            insert_audit_entry(connection, audit)

    def clear_suspect(self, device: str, audit: AuditEntry) -> None:
        with self._database.write() as connection:
            if not connection.execute(suspect_devices.delete().where(suspect_devices.c.device == device)).rowcount:
                raise NotFound(f"No device {device} is suspect.", code="DEVICE_NOT_FOUND")
            insert_audit_entry(connection, audit)


class SqlContainerStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, samples: Sequence[ContainerSample]) -> None:
        with self._database.write() as connection:
            connection.execute(container_samples.delete())
            if samples:
                connection.execute(container_samples.insert(), [_row(sample) for sample in samples])

    def list(self) -> Sequence[ContainerSample]:
        columns = container_samples.c
        with self._database.look() as connection:
            rows = connection.execute(sa.select(container_samples).order_by(columns.created_at, columns.container_id))
            return [_sample_from(row) for row in rows.mappings()]

    def get(self, container_id: str) -> ContainerSample:
        query = sa.select(container_samples).where(container_samples.c.container_id == container_id)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound("There is no container of this installation with this id.", code="CONTAINER_NOT_FOUND")
        return _sample_from(row)


_LIMITS = ("memory_bytes", "cpus", "pids", "shm_bytes")


def _row(sample: ContainerSample) -> dict[str, Any]:
    container, details = sample.container, sample.details
    return {
        "container_id": container.id,
        "name": container.name,
        "job_id": container.job_id,
        "attempt": container.attempt,
        "state": container.state,
        "image": details.image if details else None,
        "image_digest": container.image_digest,
        "mounts": [dataclasses.asdict(mount) for mount in details.mounts] if details else [],
        "limits": {name: getattr(details, name) for name in _LIMITS} if details else {},
        "cpu_percent": sample.cpu_percent,
        "memory_bytes": sample.memory_bytes,
        "pids": sample.pids,
        "created_at": container.created_at,
        "started_at": container.started_at,
        "sampled_at": sample.sampled_at,
    }


def _sample_from(row: sa.RowMapping) -> ContainerSample:
    container = Container(
        id=row["container_id"],
        name=row["name"],
        job_id=row["job_id"],
        attempt=row["attempt"],
        state=ContainerState(row["state"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        image_digest=row["image_digest"],
    )
    mounts = tuple(Mount(**mount) for mount in row["mounts"])
    details = ContainerDetails(image=row["image"], mounts=mounts, **row["limits"]) if row["image"] else None
    return ContainerSample(
        container=container,
        details=details,
        cpu_percent=row["cpu_percent"],
        memory_bytes=row["memory_bytes"],
        pids=row["pids"],
        sampled_at=row["sampled_at"],
    )
