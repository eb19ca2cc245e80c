"""Experiments."""

from __future__ import annotations

from typing import Any, cast

from cli.answers import Experiment, Page
from cli.client.transport import Transport


class ExperimentCalls(Transport):
    def experiments(self) -> Page[Experiment]:
        return self._page("/experiments", doing="list experiments")

    def experiment(self, experiment_id: str) -> dict[str, Any]:
        """With its jobs side by side."""
        found = self._data(f"/experiments/{experiment_id}", doing=f"look at experiment {experiment_id}")
        return cast("dict[str, Any]", found)

    def begin_experiment(self, name: str, *, description: str | None = None) -> Experiment:
        """Not repeated: a second request begins a second one."""
        body = {"name": name} | ({"description": description} if description else {})
        return cast("Experiment", self._once("POST", "/experiments", doing="begin an experiment", json=body)["data"])

    def delete_experiment(self, experiment_id: str) -> None:
        self._send("DELETE", f"/experiments/{experiment_id}", doing=f"delete experiment {experiment_id}")
