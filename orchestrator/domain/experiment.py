"""Experiments: jobs of one user that are looked at side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

ParamValue = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """`params` are its owner's notes on what is tried; what each job was told stands in the job's own config."""

    id: str
    user_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    params: Mapping[str, ParamValue]


class ExperimentChanges(TypedDict, total=False):
    """What its owner may change; what is absent stays. `params` replace all there were."""

    name: str
    description: str | None
    params: Mapping[str, ParamValue]
