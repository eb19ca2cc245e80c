"""ExperimentStore over SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import experiment_metrics, experiment_params, experiments, training_jobs
from orchestrator.domain.errors import NotFound
from orchestrator.domain.experiment import Experiment, ExperimentChanges, ParamValue
from orchestrator.ports.experiment_store import ExperimentPage


class SqlExperimentStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, experiment: Experiment) -> None:
        with self._database.write() as connection:
            connection.execute(
                experiments.insert().values(
                    id=experiment.id,
                    user_id=experiment.user_id,
                    name=experiment.name,
                    description=experiment.description,
                    created_at=experiment.created_at,
                    updated_at=experiment.updated_at,
                )
            )
            _write_params(connection, experiment.id, experiment.params)

    def get(self, experiment_id: str) -> Experiment:
        with self._database.read() as connection:
            return _get(connection, experiment_id)

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> ExperimentPage:
        mine = experiments.c.user_id == user_id
        newest = sa.select(experiments).where(mine).order_by(experiments.c.created_at.desc(), experiments.c.id.desc())
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(experiments).where(mine)) or 0
            rows = connection.execute(newest.limit(page_size).offset((page - 1) * page_size)).mappings().all()
            found = _experiments(connection, rows)
            return ExperimentPage(tuple(found), total, _job_counts(connection, [each.id for each in found]))

    def change(self, experiment_id: str, changes: ExperimentChanges, *, at: datetime) -> Experiment:
        columns = {name: value for name, value in changes.items() if name != "params"}
        with self._database.write() as connection:
            connection.execute(
                experiments.update().where(experiments.c.id == experiment_id).values(**columns, updated_at=at)
            )
            before = _get(connection, experiment_id)
            if "params" in changes:
                connection.execute(experiment_params.delete().where(experiment_params.c.experiment_id == experiment_id))
                _write_params(connection, experiment_id, changes["params"])
            return _get(connection, before.id)

    def remove(self, experiment_id: str) -> None:
        job = training_jobs.c
        with self._database.write() as connection:
            # A new version, so that whoever loaded the job before does not write the experiment back into it.
            connection.execute(
                training_jobs.update()
                .where(job.experiment_id == experiment_id)
                .values(experiment_id=None, version=job.version + 1)
            )
            connection.execute(experiments.delete().where(experiments.c.id == experiment_id))

    def measure(self, experiment_id: str, job_id: str, values: Mapping[str, float | None]) -> None:
        named = {"experiment_id": experiment_id, "job_id": job_id}
        rows = [named | {"name": name, "value": value} for name, value in values.items() if value is not None]
        earlier = experiment_metrics.delete().where(
            experiment_metrics.c.experiment_id == experiment_id,
            experiment_metrics.c.job_id == job_id,
            experiment_metrics.c.name.in_(values),
        )
        with self._database.write() as connection:
            connection.execute(earlier)
            if rows:
                connection.execute(experiment_metrics.insert(), rows)

    def metrics(self, experiment_id: str) -> Mapping[str, Mapping[str, float]]:
        query = (
            sa.select(experiment_metrics)
            .where(experiment_metrics.c.experiment_id == experiment_id)
            .order_by(experiment_metrics.c.name)
        )
        found: dict[str, dict[str, float]] = defaultdict(dict)
        with self._database.look() as connection:
            for row in connection.execute(query):
                found[row.job_id][row.name] = row.value
        return found


def _get(connection: sa.Connection, experiment_id: str) -> Experiment:
    rows = connection.execute(sa.select(experiments).where(experiments.c.id == experiment_id)).mappings().all()
    if not rows:
        raise NotFound(f"There is no experiment {experiment_id}.", code="EXPERIMENT_NOT_FOUND")
    return _experiments(connection, rows)[0]


def _experiments(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> Sequence[Experiment]:
    query = (
        sa.select(experiment_params)
        .where(experiment_params.c.experiment_id.in_([row["id"] for row in rows]))
        .order_by(experiment_params.c.name)
    )
    params: dict[str, dict[str, ParamValue]] = defaultdict(dict)
    for param in connection.execute(query):
        params[param.experiment_id][param.name] = param.value
    return [Experiment(**row, params=params[row["id"]]) for row in rows]


def _write_params(connection: sa.Connection, experiment_id: str, params: Mapping[str, ParamValue]) -> None:
    rows = [{"experiment_id": experiment_id, "name": name, "value": value} for name, value in params.items()]
    if rows:
        connection.execute(experiment_params.insert(), rows)


def _job_counts(connection: sa.Connection, experiment_ids: Iterable[str]) -> Mapping[str, int]:
    job = training_jobs.c
    query = (
        sa.select(job.experiment_id, sa.func.count().label("jobs"))
        .where(job.experiment_id.in_(experiment_ids), job.deleted_at.is_(None))
        .group_by(job.experiment_id)
    )
    return {row.experiment_id: row.jobs for row in connection.execute(query)}
