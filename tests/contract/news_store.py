"""What every NewsStore does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.domain.events import status_event
from orchestrator.domain.lifecycle import EndReason
from orchestrator.ports.audit_log import AuditLog
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.news_store import NewsStore
from tests.factories import NOW, make_attempt, make_job, make_metric

NOBODY = {"job_ids": (), "user_ids": (), "after_event": 0}


class NewsStoreContract:
    @pytest.fixture
    def store(self) -> NewsStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def jobs(self) -> JobStore:
        """Over the same data."""
        raise NotImplementedError

    @pytest.fixture
    def audit_log(self) -> AuditLog:
        """Over the same data."""
        raise NotImplementedError

    @staticmethod
    def _running(jobs, user_id="user-1", slot=1):
        job = make_job(user_id=user_id)
        jobs.add(job, status_event(None, job, "Submitted."))
        claimed = job.claimed(slot=slot, devices=(f"cpu-{job.id}",), at=NOW)
        attempt = make_attempt(job, devices=claimed.gpu_ids)
        return jobs.claim(claimed, attempt, status_event(job, claimed, "Launching.")), attempt

    @staticmethod
    def _pulse(store, job_id):
        return store.pulses(**NOBODY | {"job_ids": [job_id]}).get(job_id)

    def test_every_write_about_a_job_changes_its_pulse(self, store, jobs):
        job = make_job()
        jobs.add(job, status_event(None, job, "Submitted."))
        seen = [self._pulse(store, job.id)]
        claimed = job.claimed(slot=1, devices=("cpu-0",), at=NOW)
        attempt = make_attempt(job)
        job = jobs.claim(claimed, attempt, status_event(job, claimed, "Launching."))
        seen.append(self._pulse(store, job.id))
        further = attempt.evolve(events_offset=100)
        jobs.advance(job, attempt, further, metrics=[make_metric(job.id)])
        seen.append(self._pulse(store, job.id))
        printed = further.evolve(log_bytes=50)
        jobs.advance(job, further, printed)
        seen.append(self._pulse(store, job.id))
        jobs.request_cancel(job.id, reason=None, at=NOW)
        seen.append(self._pulse(store, job.id))

        assert len(set(seen)) == 5
        assert {pulse.user_id for pulse in seen} == {"user-1"}

    def test_a_job_that_nothing_happened_to_has_the_same_pulse(self, store, jobs):
        job, _ = self._running(jobs)

        assert self._pulse(store, job.id) == self._pulse(store, job.id)

    def test_an_unknown_job_has_no_pulse(self, store):
        assert self._pulse(store, "5f0c7a9e-3c52-4f0e-9a43-6f3f6e3c9b11") is None

    def test_of_a_user_the_open_jobs_are_shown_and_the_ended_ones_with_a_newer_event(self, store, jobs):
        going, _ = self._running(jobs)
        ending, _ = self._running(jobs, slot=2)
        self._running(jobs, user_id="user-2")
        ended = ending.ended(EndReason.BAD_CONFIG, at=NOW)
        jobs.save(ended, events=[status_event(ending, ended, "Failed.")])
        newest = store.newest_event()

        since_before = store.pulses(**NOBODY | {"user_ids": ["user-1"], "after_event": newest - 1})
        since_then = store.pulses(**NOBODY | {"user_ids": ["user-1"], "after_event": newest})

        assert since_before.keys() == {going.id, ending.id}
        assert since_then.keys() == {going.id}

    def test_the_newest_event_is_that_of_all_jobs(self, store, jobs):
        assert store.newest_event() == 0
        self._running(jobs)
        before = store.newest_event()
        job, _ = self._running(jobs, user_id="user-2")

        assert store.newest_event() > before
        assert store.newest_event_of(job.id) == (store.newest_event(), 1)

    def test_a_jobs_last_event_up_to_an_id_says_which_attempt_it_was_of(self, store, jobs):
        job, _ = self._running(jobs)
        newest, attempt = store.newest_event_of(job.id)

        assert attempt == 1
        assert store.newest_event_of(job.id, up_to=newest - 1) == (newest - 1, 0)
        assert store.newest_event_of(job.id, up_to=0) == (0, 0)

    def test_metrics_behind_a_row_come_in_order_of_attempt_and_step(self, store, jobs):
        job, attempt = self._running(jobs)
        rows = [make_metric(job.id, attempt=number, step=step) for number, step in ((1, 10), (1, 20), (2, 5), (2, 15))]
        jobs.save(job, attempt, metrics=rows)

        behind = store.metrics_after(job.id, attempt=1, step=10, limit=100)

        assert [(row.attempt, row.step) for row in behind] == [(1, 20), (2, 5), (2, 15)]
        assert store.metrics_after(job.id, attempt=1, step=10, limit=1) == behind[:1]
        assert store.metrics_after(job.id, attempt=0, step=0, limit=100)[0] == replace(behind[0], step=10)
        assert store.newest_metric(job.id) == (2, 15)

    def test_a_job_without_metrics_has_no_newest(self, store, jobs):
        job, _ = self._running(jobs)

        assert store.newest_metric(job.id) == (0, 0)
        assert store.metrics_after(job.id, attempt=0, step=0, limit=100) == []

    def test_who_was_revoked_is_told_from_an_entry_of_the_audit_log_on(self, store, audit_log):
        audit_log.add(_entry(AuditAction.TOKENS_REVOKED, "before"))
        newest, nobody = store.revocations(after=None)
        audit_log.add(_entry(AuditAction.TOKEN_CREATED, "user-1"))
        audit_log.add(_entry(AuditAction.TOKENS_REVOKED, "user-2"))
        found = store.revocations(after=newest)

        assert (nobody, found.user_ids) == (frozenset(), {"user-2"})
        assert store.revocations(after=found.newest) == (found.newest, frozenset())


def _entry(action, subject):
    return AuditEntry(actor=OPERATOR, action=action, subject=subject, message="Done.", at=NOW)
