"""RecordStore over SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.curves import read_curve
from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.rows import event_from, lineage_from
from orchestrator.adapters.sql.tables import (
    artifacts,
    engine_status,
    maintenance,
    suspect_devices,
    training_events,
    training_lineage,
    user_limits,
)
from orchestrator.adapters.sql.trained_files import checkpoints_of, trained_files_of
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.curves import MOST_POINTS, Curve
from orchestrator.domain.errors import NotFound
from orchestrator.domain.events import JobEvent
from orchestrator.domain.lineage import Lineage
from orchestrator.domain.resources import DeviceMemory
from orchestrator.domain.scheduling import HouseRules
from orchestrator.ports.record_store import ArtifactPage, EngineStatus, SuspectDevice


class SqlRecordStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def events(self, job_id: str, *, after_id: int = 0, limit: int = 1_000) -> Sequence[JobEvent]:
        query = (
            sa.select(training_events)
            .where(training_events.c.job_id == job_id, training_events.c.id > after_id)
            .order_by(training_events.c.id)
            .limit(limit)
        )
        with self._database.look() as connection:
            return [event_from(row) for row in connection.execute(query).mappings()]

    def latest_event(self, job_id: str, *, attempt: int, type: str) -> JobEvent | None:  # noqa: A002 - the column's name
        query = (
            sa.select(training_events)
            .where(
                training_events.c.job_id == job_id,
                training_events.c.attempt == attempt,
                training_events.c.event_type == type,
            )
            .order_by(training_events.c.id.desc())
            .limit(1)
        )
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return event_from(row) if row is not None else None

    def events_of_type(self, job_id: str, type: str) -> Sequence[JobEvent]:  # noqa: A002 - the column's name
        query = (
            sa.select(training_events)
            .where(training_events.c.job_id == job_id, training_events.c.event_type == type)
            .order_by(training_events.c.id)
        )
        with self._database.look() as connection:
            return [event_from(row) for row in connection.execute(query).mappings()]

    def curve(self, job_id: str, *, attempt: int | None = None, points: int = MOST_POINTS) -> Curve:
        with self._database.read() as connection:
            return read_curve(connection, job_id, attempt=attempt, points=points)

    def add_artifacts(self, artifacts_: Sequence[Artifact]) -> None:
        if not artifacts_:
            return
        rows = [dataclasses.asdict(artifact) for artifact in artifacts_]
        with self._database.write() as connection:
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            connection.execute(insert(artifacts).on_conflict_do_nothing(), rows)

    def artifacts(self, job_id: str) -> Sequence[Artifact]:
        query = (
            sa.select(artifacts)
            .where(artifacts.c.job_id == job_id)
            .order_by(artifacts.c.created_at, artifacts.c.attempt, artifacts.c.path)
        )
        with self._database.look() as connection:
            return [artifact_from(row) for row in connection.execute(query).mappings()]

    def checkpoints(self, job_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        with self._database.look() as connection:
            return checkpoints_of(connection, job_ids)

    def artifact(self, artifact_id: str) -> Artifact:
        query = sa.select(artifacts).where(artifacts.c.id == artifact_id)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no artifact {artifact_id}.", code="ARTIFACT_NOT_FOUND")
        return artifact_from(row)

    def lineage(self, job_id: str) -> Lineage | None:
        query = sa.select(training_lineage).where(training_lineage.c.job_id == job_id)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return lineage_from(row) if row is not None else None

    def remove_artifacts(self, artifact_ids: Collection[str]) -> None:
        if artifact_ids:
            with self._database.write() as connection:
                connection.execute(artifacts.delete().where(artifacts.c.id.in_(artifact_ids)))

    def trained_files(self, user_id: str, *, page: int = 1, page_size: int = 50) -> ArtifactPage:
        wanted = trained_files_of(user_id).subquery()
        query = (
            sa.select(artifacts)
            .where(artifacts.c.id.in_(sa.select(wanted.c.id)))
            .order_by(artifacts.c.created_at.desc(), artifacts.c.job_id, artifacts.c.path)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        with self._database.read() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(wanted)).scalar_one()
            return ArtifactPage(tuple(artifact_from(row) for row in connection.execute(query).mappings()), total)

    def save_engine_status(self, status: EngineStatus) -> None:
        row = dataclasses.asdict(status) | {"id": 1, "devices": list(status.devices)}
        with self._database.write() as connection:
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            connection.execute(insert(engine_status).values(row).on_conflict_do_update(index_elements=["id"], set_=row))

    def mark_suspect(self, devices: Sequence[str], *, reason: str, job_id: str, at: datetime) -> None:
        if not devices:
            return
        rows = [{"device": device, "reason": reason, "job_id": job_id, "suspect_since": at} for device in devices]
        with self._database.write() as connection:
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            news = {"reason": reason, "job_id": job_id}
            connection.execute(
                insert(suspect_devices).on_conflict_do_update(index_elements=["device"], set_=news), rows
            )

    def clear_suspect(self, devices: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.execute(suspect_devices.delete().where(suspect_devices.c.device.in_(devices)))

    def suspect_devices(self) -> Sequence[SuspectDevice]:
        query = sa.select(suspect_devices).order_by(suspect_devices.c.suspect_since, suspect_devices.c.device)
        with self._database.look() as connection:
            return [SuspectDevice(**row) for row in connection.execute(query).mappings()]

    def house_rules(self) -> HouseRules:
        with self._database.read() as connection:
            reason = connection.scalar(sa.select(maintenance.c.reason))
            limits = connection.execute(sa.select(user_limits.c.user_id, user_limits.c.max_active_jobs))
            closed_because = f"maintenance: {reason}" if reason is not None else None
            return HouseRules(
                closed_because=closed_because, max_active_by_user={row.user_id: row.max_active_jobs for row in limits}
            )

    def engine_status(self) -> EngineStatus | None:
        with self._database.look() as connection:
            row = connection.execute(sa.select(engine_status)).mappings().one_or_none()
        if row is None:
            return None
        values = {field.name: row[field.name] for field in dataclasses.fields(EngineStatus)}
        memory = {device: DeviceMemory(**each) for device, each in row["device_memory"].items()}
        return EngineStatus(**values | {"devices": tuple(row["devices"]), "device_memory": memory})


def artifact_from(row: sa.RowMapping) -> Artifact:
    return Artifact(**dict(row) | {"kind": ArtifactKind(row["kind"])})
