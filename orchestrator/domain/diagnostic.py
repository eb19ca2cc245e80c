"""The diagnostic job: a small regression instead of an adapter, which shows in seconds that engine, devices, mounts and
reporting work."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What stands where other jobs name their base model: nothing is fetched for it.
DIAGNOSTIC_MODEL = "lorry/diagnostic"
MAX_TABLE_LENGTH = 512 * 1024
MADE_UP_ROWS = 256  # by the trainer, for a job that brings none
_HELD_OUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class DiagnosticTable:
    """Rows of numbers a client sent, as they came; the trainer reads them as hostile input."""

    name: str  # of the file that the trainer finds
    content: str

    @classmethod
    def of(cls, content: str) -> DiagnosticTable:
        """JSONL when it begins with an object, else CSV."""
        return cls("rows.jsonl" if content.lstrip().startswith("{") else "rows.csv", content)

    @property
    def row_count(self) -> int:
        """Lines that hold something; a header among them is the trainer's to tell."""
        return sum(1 for line in self.content.splitlines() if line.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticConfig:
    """The settings of a diagnostic job; the trainer's protocol has their ranges."""

    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 1e-2
    seed: int = 42
    steps: int = 1  # that follow from the number of rows

    def for_rows(self, row_count: int) -> DiagnosticConfig:
        """With the steps that so many rows come to, a tenth of them held out."""
        trained_on = max(1, row_count - max(1, int(row_count * _HELD_OUT_SHARE)))
        return dataclasses.replace(self, steps=max(1, self.epochs * trained_on // self.batch_size))

    def as_params(self) -> dict[str, Any]:
        """Plain values for JSON, every key present."""
        return dataclasses.asdict(self)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> DiagnosticConfig:
        return cls(**params)
