"""DatasetStore over SQL: the embedded default's datasets."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import dataset_items, datasets
from orchestrator.domain.dataset import Dataset, DatasetItem
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetPage


class SqlDatasetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None:
        with self._database.write() as connection:
            connection.execute(datasets.insert().values(dataclasses.asdict(dataset)))
            if items:
                connection.execute(dataset_items.insert(), [dataclasses.asdict(item) for item in items])

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        with self._database.read() as connection:
            row = connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id)).mappings().one_or_none()
        if row is None:
            raise NotFound(f"There is no dataset {dataset_id}.", code="DATASET_NOT_FOUND")
        if row["user_id"] != identity.user_id and not identity.is_admin:
            raise Refused(f"Dataset {dataset_id} belongs to another user.", code="DATASET_FORBIDDEN")
        return Dataset(**row)

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> DatasetPage:
        mine = datasets.c.user_id == user_id
        query = (
            sa.select(datasets)
            .where(mine)
            .order_by(datasets.c.created_at.desc(), datasets.c.id)
            .limit(page_size)
            .offset((page - 1) * page_size)
        )
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(datasets).where(mine))
            return DatasetPage(tuple(Dataset(**row) for row in connection.execute(query).mappings()), total or 0)

    def items(self, dataset_id: str) -> Sequence[DatasetItem]:
        query = (
            sa.select(dataset_items).where(dataset_items.c.dataset_id == dataset_id).order_by(dataset_items.c.file_name)
        )
        with self._database.read() as connection:
            return [DatasetItem(**row) for row in connection.execute(query).mappings()]

    def remove(self, dataset_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(datasets.delete().where(datasets.c.id == dataset_id))
