"""DatasetStore and VersionStore over SQL: the embedded default's datasets, and the versions of everybody's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import dataset_items, dataset_versions, datasets
from orchestrator.domain.dataset import (
    Approval,
    Dataset,
    DatasetItem,
    DatasetVersion,
    ItemChanges,
    VersionItem,
    contents_of,
)
from orchestrator.domain.errors import Conflict, NotFound, Refused
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetPage, ItemPage


class SqlDatasetStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None:
        with self._database.write() as connection:
            connection.execute(datasets.insert().values(dataclasses.asdict(dataset)))
            _insert(connection, items)

    def add_items(self, dataset_id: str, items: Sequence[DatasetItem], *, beside: int, at: datetime) -> Dataset:
        with self._database.write() as connection:
            if not _lock(connection, dataset_id):
                raise _no_dataset(dataset_id)
            if len(_items(connection, dataset_id)) != beside:
                message = "Other pictures were added to the dataset meanwhile. Send these again."
                raise Conflict(message, code="DATASET_CHANGED")
            _insert(connection, items)
            _sum_up(connection, dataset_id, at)
            row = connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id)).mappings().one()
            return Dataset(**row)

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        with self._database.look() as connection:
            row = connection.execute(sa.select(datasets).where(datasets.c.id == dataset_id)).mappings().one_or_none()
        if row is None:
            raise _no_dataset(dataset_id)
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
        with self._database.look() as connection:
            return _items(connection, dataset_id)

    def item_page(self, dataset_id: str, *, page: int, page_size: int) -> ItemPage:
        query = _of(dataset_id).limit(page_size).offset((page - 1) * page_size)
        count = sa.select(sa.func.count()).select_from(dataset_items).where(dataset_items.c.dataset_id == dataset_id)
        with self._database.read() as connection:
            total = connection.scalar(count)
            return ItemPage(tuple(_item_from(row) for row in connection.execute(query).mappings()), total or 0)

    def item(self, dataset_id: str, item_id: str) -> DatasetItem:
        with self._database.look() as connection:
            return _item(connection, dataset_id, item_id)

    def change_item(self, dataset_id: str, item_id: str, changes: ItemChanges, *, at: datetime) -> DatasetItem:
        with self._database.write() as connection:
            _lock(connection, dataset_id)
            if changes:
                mine = (dataset_items.c.dataset_id == dataset_id, dataset_items.c.id == item_id)
                connection.execute(dataset_items.update().where(*mine).values(_item_row({**changes})))
            changed = _item(connection, dataset_id, item_id)
            _sum_up(connection, dataset_id, at)
        return changed

    def remove(self, dataset_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(datasets.delete().where(datasets.c.id == dataset_id))


class SqlVersionStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, version: DatasetVersion) -> None:
        versions = dataset_versions.c
        known = sa.select(versions.sha256).where(
            versions.dataset_id == version.dataset_id, versions.sha256 == version.sha256
        )
        with self._database.look() as connection:
            if connection.scalar(known) is not None:  # most jobs train on what others did: a write less for each
                return
        row = dataclasses.asdict(version) | {"items": [list(item) for item in version.items]}
        with self._database.write() as connection:
            insert = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
            connection.execute(insert(dataset_versions).values(row).on_conflict_do_nothing())

    def get(self, dataset_id: str, sha256: str) -> DatasetVersion:
        versions = dataset_versions.c
        query = sa.select(dataset_versions).where(versions.dataset_id == dataset_id, versions.sha256 == sha256)
        with self._database.look() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFound(f"Dataset {dataset_id} has no version {sha256}.")
        return DatasetVersion(**{**row, "items": tuple(VersionItem(*item) for item in row["items"])})

    def remove(self, dataset_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(dataset_versions.delete().where(dataset_versions.c.dataset_id == dataset_id))


def _lock(connection: sa.Connection, dataset_id: str) -> bool:
    """One change of a dataset at a time: its hash is made of all its items. Whether it is there."""
    query = sa.select(datasets.c.id).where(datasets.c.id == dataset_id).with_for_update()
    return connection.scalar(query) is not None


def _insert(connection: sa.Connection, items: Sequence[DatasetItem]) -> None:
    if items:
        connection.execute(dataset_items.insert(), [_item_row(dataclasses.asdict(item)) for item in items])


def _sum_up(connection: sa.Connection, dataset_id: str, at: datetime) -> None:
    facts = {**contents_of(_items(connection, dataset_id)), "updated_at": at}
    connection.execute(datasets.update().where(datasets.c.id == dataset_id).values(facts))


def _no_dataset(dataset_id: str) -> NotFound:
    return NotFound(f"There is no dataset {dataset_id}.", code="DATASET_NOT_FOUND")


def _of(dataset_id: str) -> sa.Select[Any]:
    items = dataset_items.c
    return sa.select(dataset_items).where(items.dataset_id == dataset_id).order_by(items.file_name)


def _items(connection: sa.Connection, dataset_id: str) -> Sequence[DatasetItem]:
    return [_item_from(row) for row in connection.execute(_of(dataset_id)).mappings()]


def _item(connection: sa.Connection, dataset_id: str, item_id: str) -> DatasetItem:
    row = connection.execute(_of(dataset_id).where(dataset_items.c.id == item_id)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no item {item_id} in this dataset.", code="ITEM_NOT_FOUND")
    return _item_from(row)


def _item_row(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _item_from(row: sa.RowMapping) -> DatasetItem:
    values = dict(row)
    values["approval"] = Approval(row["approval"])
    values["allowed_uses"] = tuple(row["allowed_uses"])
    values["prohibited_uses"] = tuple(row["prohibited_uses"])
    return DatasetItem(**values)
