"""Rows that no database takes, on both dialects: which constraint said no, and texts that would be refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from orchestrator.adapters.sql import SqlJobStore, SqlRecordStore
from orchestrator.domain.events import JobEvent, status_event
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.job_store import Submission
from tests.factories import NOW, make_attempt, make_job


def _add(store):
    job = make_job()
    return store.add(job, status_event(None, job, "Submitted."))


def test_what_a_container_made_us_quote_is_stored_without_what_a_database_refuses(migrated):
    store, records = SqlJobStore(migrated), SqlRecordStore(migrated)
    hostile = "adapter key \x00 \udcff"
    job = _add(store)
    failed = job.claimed(slot=1, devices=("cpu-0",), at=NOW)
    failed = store.claim(failed, make_attempt(job, number=1), status_event(job, failed, "Claimed."))
    said = JobEvent(job_id=job.id, attempt=1, type="error", message=hostile, at=NOW, data={hostile: [hostile]})

    store.save(failed.ended(EndReason.ADAPTER_INVALID, at=NOW, message=hostile), events=[said])

    assert store.get(job.id).error_message == "adapter key  ?"
    event = records.events(job.id)[-1]
    assert (event.message, event.data) == ("adapter key  ?", {"adapter key  ?": ["adapter key  ?"]})


def test_only_a_used_key_is_an_earlier_submission(migrated):
    """A job's id that is taken is a bug, not somebody's repeated request."""
    store = SqlJobStore(migrated)
    job = _add(store)

    with pytest.raises(sa.exc.IntegrityError):
        store.add(job, status_event(None, job, "Submitted."), Submission("key", "body"))


def test_only_a_taken_slot_or_device_is_called_that(migrated):
    """An attempt's number that is taken is a bug, not a race for a slot."""
    store = SqlJobStore(migrated)
    first, second = _add(store), _add(store)
    claimed = first.claimed(slot=1, devices=("cpu-0",), at=NOW)
    store.claim(claimed, make_attempt(first, number=1), status_event(first, claimed, "Claimed."))
    other = second.claimed(slot=2, devices=("cpu-1",), at=NOW)
    same_container = make_attempt(first, number=1).evolve(job_id=second.id, devices=("cpu-1",))

    with pytest.raises(sa.exc.IntegrityError):
        store.claim(other, same_container, status_event(second, other, "Claimed."))
