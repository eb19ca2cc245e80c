"""Datasets: what is in them and what is wrong with them."""

from __future__ import annotations

from typing import cast

from cli.answers import Dataset, DatasetItem, Page, Report
from cli.client.transport import Transport


class DatasetCalls(Transport):
    def datasets(self) -> Page[Dataset]:
        return self._page("/datasets", doing="list datasets")

    def dataset_items(self, dataset_id: str, *, page: int = 1, page_size: int = 50) -> Page[DatasetItem]:
        doing = f"look at dataset {dataset_id}"
        return self._page(f"/datasets/{dataset_id}/items", doing=doing, page=page, page_size=page_size)

    def dataset_report(self, dataset_id: str, *, resolution: int) -> Report:
        doing = f"read the report on dataset {dataset_id}"
        return cast("Report", self._data(f"/datasets/{dataset_id}/report", doing=doing, resolution=resolution))

    def delete_dataset(self, dataset_id: str) -> Dataset:
        """Not repeated: the answer to a second request would be that there is no such dataset."""
        doing = f"delete dataset {dataset_id}"
        return cast("Dataset", self._once("DELETE", f"/datasets/{dataset_id}", doing=doing)["data"])
