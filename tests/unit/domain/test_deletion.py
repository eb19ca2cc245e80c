"""How long a deleted job can be brought back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orchestrator.domain.deletion import UndoPolicy
from tests.factories import NOW, make_job

HOUR = timedelta(hours=1)


def test_a_job_can_be_brought_back_for_as_long_as_the_policy_says():
    deleted = replace(make_job(), deleted_at=NOW)

    assert UndoPolicy(HOUR).restorable_until(deleted) == NOW + HOUR
    assert UndoPolicy(HOUR).since(NOW + HOUR) == NOW
    assert UndoPolicy(HOUR).restorable_until(make_job()) is None


def test_without_any_time_nothing_is_brought_back():
    assert not UndoPolicy(timedelta(0)).is_possible
    assert UndoPolicy(HOUR).is_possible
