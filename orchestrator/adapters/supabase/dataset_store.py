"""DatasetStore of a Supabase project: each is looked for under the caller's own token, so that its policies decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import httpx
from postgrest.exceptions import APIError

from orchestrator.adapters.supabase.project import Project
from orchestrator.domain.dataset import Dataset, DatasetItem, ItemChanges
from orchestrator.domain.errors import LorryError, Refused, StoreUnavailable, Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.ports.dataset_store import DatasetPage, DatasetStore, ItemPage

_JWT_REFUSED = ("PGRST301", "PGRST302", "PGRST303")


class SupabaseDatasetStore:
    """`rows` is the store over the same project's Postgres: it answers where no caller's token is at hand, and tells a
    dataset that is hidden from one that is not there."""

    def __init__(self, project: Project, rows: DatasetStore) -> None:
        self._project = project
        self._rows = rows

    def get(self, dataset_id: str, identity: Identity) -> Dataset:
        if identity.access_token is None:
            return self._rows.get(dataset_id, identity)
        if self._is_shown(dataset_id, identity.access_token):
            return self._rows.get(dataset_id, replace(identity, is_admin=True))  # the policies have decided
        hidden = self._rows.get(dataset_id, identity)
        if not identity.is_admin:  # it is theirs by its row, but a policy of the project hides it
            raise Refused(f"Dataset {dataset_id} is not open to you.", code="DATASET_FORBIDDEN")
        return hidden

    def add(self, dataset: Dataset, items: Sequence[DatasetItem]) -> None:
        self._rows.add(dataset, items)

    def add_items(self, dataset_id: str, items: Sequence[DatasetItem], *, beside: int, at: datetime) -> Dataset:
        return self._rows.add_items(dataset_id, items, beside=beside, at=at)

    def list(self, user_id: str, *, page: int = 1, page_size: int = 50) -> DatasetPage:
        return self._rows.list(user_id, page=page, page_size=page_size)

    def items(self, dataset_id: str) -> Sequence[DatasetItem]:
        return self._rows.items(dataset_id)

    def item_page(self, dataset_id: str, *, page: int, page_size: int) -> ItemPage:
        return self._rows.item_page(dataset_id, page=page, page_size=page_size)

    def item(self, dataset_id: str, item_id: str) -> DatasetItem:
        return self._rows.item(dataset_id, item_id)

    def change_item(self, dataset_id: str, item_id: str, changes: ItemChanges, *, at: datetime) -> DatasetItem:
        return self._rows.change_item(dataset_id, item_id, changes, at=at)

    def remove(self, dataset_id: str) -> None:
        self._rows.remove(dataset_id)

    def _is_shown(self, dataset_id: str, access_token: str) -> bool:
        """Whether the project's policies show the caller this row."""
        table = self._project.as_caller(access_token).table("datasets")
        try:
            return bool(table.select("id").eq("id", dataset_id).limit(1).execute().data)
        except APIError as error:
            raise _translated(error) from error
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"Supabase did not answer for the dataset: {type(error).__name__}.") from error


def _translated(error: APIError) -> LorryError:
    if error.code in _JWT_REFUSED:
        return Unauthenticated("Supabase does not accept the access token.", code="TOKEN_INVALID")
    return StoreUnavailable(f"Supabase could not read the datasets ({error.code}). `lorry doctor` tells more.")
