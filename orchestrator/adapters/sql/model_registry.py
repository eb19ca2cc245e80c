"""ModelRegistry over SQL."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from orchestrator.adapters.sql.audit_log import insert_audit_entry
from orchestrator.adapters.sql.engine import Database, violates
from orchestrator.adapters.sql.rows import event_row
from orchestrator.adapters.sql.tables import ONE_MODEL_A_NUMBER, artifacts, models, training_events
from orchestrator.adapters.sql.trash import DELETED
from orchestrator.domain.artifact import Artifact, ArtifactKind
from orchestrator.domain.audit import AuditEntry
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.events import JobEvent
from orchestrator.domain.job import Job
from orchestrator.domain.registered_model import ModelVersion, RegisteredModel, model_name_of
from orchestrator.ports.model_registry import RegisteredModelPage

_REGISTERED = (
    models.c.registered_at.is_not(None),
    models.c.deleted_at.is_(None),
    models.c.job_id.is_not(None),
    models.c.job_id.not_in(DELETED),
)


class SqlModelRegistry:
    def __init__(self, database: Database) -> None:
        self._database = database

    def reserve(self, job: Job, name: str, *, at: datetime) -> ModelVersion:
        while True:
            try:
                return self._reserve(job, name, at)
            except sa.exc.IntegrityError as error:
                # Jobs are launched side by side: another has just taken the number.
                if not violates(error, ONE_MODEL_A_NUMBER):
                    raise

    def _reserve(self, job: Job, name: str, at: datetime) -> ModelVersion:
        with self._database.write() as connection:
            return _own_version(connection, job) or _insert(connection, _next_version(connection, job, name, at))

    def promote(
        self,
        job: Job,
        file: Artifact,
        *,
        name: str | None,
        step: int,
        at: datetime,
        tell: Callable[[ModelVersion], JobEvent],
        audit: AuditEntry | None = None,
    ) -> tuple[ModelVersion, bool]:
        while True:
            try:
                with self._database.write() as connection:
                    known = _version_of(connection, file)
                    if known is not None:
                        return known, False
                    version = _register(connection, job, file, name=name, step=step, at=at)
                    connection.execute(training_events.insert(), [event_row(tell(version))])
                    if audit is not None:
                        insert_audit_entry(connection, audit)
                    return version, True
            except sa.exc.IntegrityError as error:
                if not violates(error, ONE_MODEL_A_NUMBER):
                    raise

    def promoted(self, job_id: str) -> Sequence[ModelVersion]:
        of_it = sa.select(models).where(models.c.job_id == job_id, models.c.step.is_not(None), *_REGISTERED)
        with self._database.look() as connection:
            rows = connection.execute(of_it.order_by(models.c.step, models.c.version)).mappings()
            return [_version_from(row) for row in rows]

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> RegisteredModelPage:
        mine = (models.c.user_id == user_id, *_REGISTERED)
        names = (
            sa.select(models.c.name, sa.func.max(models.c.version).label("version"), sa.func.count().label("count"))
            .where(*mine)
            .group_by(models.c.name)
            .subquery()
        )
        newest = sa.and_(models.c.name == names.c.name, models.c.version == names.c.version)
        query = (
            sa.select(models, names.c.count)
            .join(names, newest)
            .where(models.c.user_id == user_id)
            .order_by(models.c.registered_at.desc(), models.c.name)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        with self._database.read() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(names)).scalar_one()
            rows = connection.execute(query).mappings().all()
        found = [RegisteredModel(row["name"], _version_from(row), row["count"]) for row in rows]
        return RegisteredModelPage(tuple(found), total)

    def versions(self, user_id: str, name: str) -> Sequence[ModelVersion]:
        query = sa.select(models).where(*_named(user_id, name), *_REGISTERED).order_by(models.c.version.desc())
        with self._database.look() as connection:
            return [_version_from(row) for row in connection.execute(query).mappings()]

    def rename(self, user_id: str, name: str, new_name: str) -> None:
        with self._database.write() as connection:
            _require(connection, user_id, name)
            if new_name == name:
                return
            if connection.scalar(sa.select(sa.exists().where(*_named(user_id, new_name)))):
                message = f"The name {new_name!r} is taken, or was: its version numbers are not given again."
                raise Conflict(message, code="MODEL_NAME_TAKEN")
            connection.execute(models.update().where(*_named(user_id, name)).values(name=new_name))

    def delete(self, user_id: str, name: str, *, version: int | None, at: datetime) -> None:
        with self._database.write() as connection:
            _require(connection, user_id, name, version)
            gone = models.update().where(*_named(user_id, name, version), *_REGISTERED)
            connection.execute(gone.values(deleted_at=at))


def _own_version(connection: sa.Connection, job: Job) -> ModelVersion | None:
    """What the job ends with."""
    query = sa.select(models).where(models.c.job_id == job.id, models.c.step.is_(None))
    row = connection.execute(query).mappings().one_or_none()
    return _version_from(row) if row is not None else None


def _next_version(connection: sa.Connection, job: Job, name: str, at: datetime) -> ModelVersion:
    taken = sa.select(sa.func.coalesce(sa.func.max(models.c.version), 0)).where(*_named(job.user_id, name))
    return ModelVersion(
        id=str(uuid.uuid4()),
        user_id=job.user_id,
        name=name,
        version=connection.execute(taken).scalar_one() + 1,
        base_model=job.base_model,
        trigger_words=job.trigger_words,
        job_id=job.id,
        created_at=at,
    )


def _insert(connection: sa.Connection, version: ModelVersion) -> ModelVersion:
    row = dataclasses.asdict(version) | {"trigger_words": list(version.trigger_words)}
    connection.execute(models.insert().values(row))
    return version


def _version_of(connection: sa.Connection, file: Artifact) -> ModelVersion | None:
    """What a file is registered as. Whoever asks for the same at the same time waits here, and then finds it done."""
    connection.execute(sa.select(artifacts.c.id).where(artifacts.c.id == file.id).with_for_update())
    query = sa.select(models).where(models.c.artifact_id == file.id, *_REGISTERED)
    row = connection.execute(query).mappings().one_or_none()
    return _version_from(row) if row is not None else None


def _register(
    connection: sa.Connection, job: Job, file: Artifact, *, name: str | None, step: int, at: datetime
) -> ModelVersion:
    """A checkpoint's file, which counts as an adapter from then on."""
    own = _own_version(connection, job)
    version = _next_version(connection, job, name or (own.name if own else model_name_of(job)), at)
    version = dataclasses.replace(version, artifact_id=file.id, sha256=file.sha256, size_bytes=file.size_bytes)
    version = _insert(connection, dataclasses.replace(version, step=step, registered_at=at))
    as_adapter = {"kind": ArtifactKind.ADAPTER, "name": f"{version.name}-step-{step}.safetensors"}
    connection.execute(artifacts.update().where(artifacts.c.id == file.id).values(as_adapter))
    return version


def _named(user_id: str, name: str, version: int | None = None) -> tuple[sa.ColumnElement[bool], ...]:
    named = (models.c.user_id == user_id, models.c.name == name)
    return named if version is None else (*named, models.c.version == version)


def _require(connection: sa.Connection, user_id: str, name: str, version: int | None = None) -> None:
    if not connection.scalar(sa.select(sa.exists().where(*_named(user_id, name, version), *_REGISTERED))):
        which = f"There is no registered model {name!r}" + (f" of version {version}." if version else ".")
        raise NotFound(which, code="MODEL_NOT_FOUND")


def _version_from(row: sa.RowMapping) -> ModelVersion:
    values = {field.name: row[field.name] for field in dataclasses.fields(ModelVersion)}
    return ModelVersion(**values | {"trigger_words": tuple(row["trigger_words"])})
