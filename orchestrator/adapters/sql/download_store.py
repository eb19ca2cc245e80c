"""DownloadStore over SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import model_downloads, training_jobs
from orchestrator.domain.download import Download, DownloadStatus
from orchestrator.domain.lifecycle import JobStatus


class SqlDownloadStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, model_id: str) -> Download | None:
        with self._database.look() as connection:
            row = connection.execute(_row_of(model_id)).mappings().one_or_none()
        return _download(row) if row is not None else None

    def list(self) -> Sequence[Download]:
        query = sa.select(model_downloads).order_by(model_downloads.c.model_id)
        with self._database.look() as connection:
            return [_download(row) for row in connection.execute(query).mappings()]

    def request(self, model_id: str, *, at: datetime) -> Download:
        """One statement inserts or begins anew, so that of many who ask at once each finds the same download."""
        wanted = dataclasses.asdict(Download.requested(model_id, at=at))
        insert = sqlite_insert if self._database.is_sqlite else postgres_insert
        anew = insert(model_downloads).values(wanted)
        ended = model_downloads.c.status != DownloadStatus.DOWNLOADING
        with self._database.write() as connection:
            connection.execute(anew.on_conflict_do_update(index_elements=["model_id"], set_=wanted, where=ended))
            return _download(connection.execute(_row_of(model_id)).mappings().one())

    def save(self, download: Download) -> None:
        row = dataclasses.asdict(download)
        with self._database.write() as connection:
            this = model_downloads.update().where(model_downloads.c.model_id == download.model_id)
            connection.execute(this.values(row))

    def forget(self, model_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(model_downloads.delete().where(model_downloads.c.model_id == model_id))

    def wanted_models(self) -> frozenset[str]:
        job = training_jobs.c
        query = sa.select(job.base_model).where(job.status == JobStatus.QUEUED).distinct()
        with self._database.look() as connection:
            return frozenset(connection.scalars(query))


def _row_of(model_id: str) -> sa.Select[Any]:
    return sa.select(model_downloads).where(model_downloads.c.model_id == model_id)


def _download(row: sa.RowMapping) -> Download:
    return Download(**{**row, "status": DownloadStatus(row["status"])})
