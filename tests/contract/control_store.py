"""What every ControlStore and ContainerStore does. A binding gives the fixtures that raise NotImplementedError here."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.domain.administration import ContainerDetails, ContainerSample, Maintenance
from orchestrator.domain.audit import AuditAction, AuditEntry
from orchestrator.domain.container import Mount
from orchestrator.domain.errors import Conflict, NotFound
from orchestrator.domain.events import status_event
from orchestrator.domain.scheduling import HouseRules
from orchestrator.ports.audit_log import AuditLog
from orchestrator.ports.control_store import ContainerStore, ControlStore
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.record_store import RecordStore
from tests.factories import NOW, make_container, make_job


class ControlStoreContract:
    @pytest.fixture
    def store(self) -> ControlStore:
        raise NotImplementedError

    @pytest.fixture
    def audit_log(self) -> AuditLog:
        raise NotImplementedError

    @pytest.fixture
    def records(self) -> RecordStore:
        raise NotImplementedError

    @pytest.fixture
    def jobs(self) -> JobStore:
        raise NotImplementedError

    def test_maintenance_begins_changes_its_reason_and_ends(self, store, audit_log, records):
        begun = Maintenance(reason="a new disk", actor="root", since=NOW)
        assert store.maintenance() is None
        store.begin_maintenance(begun, _entry(AuditAction.MAINTENANCE_BEGUN))
        assert store.maintenance() == begun
        assert records.house_rules().closed_because == "maintenance: a new disk"
        later = replace(begun, reason="two new disks", since=NOW + timedelta(hours=1))
        store.begin_maintenance(later, _entry(AuditAction.MAINTENANCE_BEGUN))
        assert store.maintenance() == replace(later, since=NOW)
        for _ in range(2):
            store.end_maintenance(_entry(AuditAction.MAINTENANCE_ENDED))
        assert (store.maintenance(), records.house_rules()) == (None, HouseRules())
        assert _actions(audit_log) == ["maintenance_begun", "maintenance_begun", "maintenance_ended"]

    def test_a_users_limit_is_set_changed_and_taken_back(self, store, audit_log, records):
        for most in (5, 0):
            store.set_limit("alice", most, _entry(AuditAction.LIMIT_CHANGED), at=NOW)
        assert dict(store.limits()) == dict(records.house_rules().max_active_by_user) == {"alice": 0}
        store.set_limit("alice", None, _entry(AuditAction.LIMIT_CHANGED), at=NOW)
        assert dict(store.limits()) == {}
        assert _actions(audit_log) == ["limit_changed"] * 3

    def test_a_waiting_jobs_priority_changes_and_how_long_it_waits_does_not(self, store, audit_log, jobs):
        job = make_job()
        jobs.add(job, status_event(None, job, "Submitted."))
        store.set_priority(job.id, 2, _entry(AuditAction.PRIORITY_CHANGED))
        stored = jobs.get(job.id)
        assert (stored.priority, stored.updated_at, stored.version) == (2, job.updated_at, job.version + 1)
        jobs.request_cancel(job.id, reason=None, at=NOW)
        with pytest.raises(Conflict) as refused:
            store.set_priority(job.id, 1, _entry(AuditAction.PRIORITY_CHANGED))
        assert refused.value.code == "JOB_NOT_QUEUED"
        assert _actions(audit_log) == ["priority_changed"]

    def test_only_a_suspect_device_is_cleared(self, store, audit_log, records):
        records.mark_suspect(["GPU-1"], reason="It failed.", job_id="job", at=NOW)
        store.clear_suspect("GPU-1", _entry(AuditAction.SUSPECT_CLEARED))
        assert list(records.suspect_devices()) == []
        with pytest.raises(NotFound):
            store.clear_suspect("GPU-1", _entry(AuditAction.SUSPECT_CLEARED))
        assert _actions(audit_log) == ["suspect_cleared"]


class ContainerStoreContract:
    @pytest.fixture
    def store(self) -> ContainerStore:
        raise NotImplementedError

    def test_samples_are_read_as_they_were_written_oldest_first(self, store):
        young, old = _sample(created_at=NOW), _sample(created_at=NOW - timedelta(hours=1))
        store.replace([young, old])
        assert list(store.list()) == [old, young]
        assert store.get(young.container.id) == young

    def test_a_look_takes_the_place_of_the_last_one(self, store):
        gone, gone_before_it_was_asked = _sample(), replace(_sample(), details=None, cpu_percent=None)
        store.replace([gone])
        store.replace([gone_before_it_was_asked])
        assert list(store.list()) == [gone_before_it_was_asked]
        with pytest.raises(NotFound):
            store.get(gone.container.id)
        store.replace([])
        assert list(store.list()) == []


def _entry(action: AuditAction) -> AuditEntry:
    return AuditEntry(actor="root", action=action, subject="it", message="Because.", at=NOW)


def _actions(audit_log: AuditLog) -> list[str]:
    """Oldest first."""
    return [str(entry.action) for entry in reversed(audit_log.list().entries)]


def _sample(**changes: object) -> ContainerSample:
    return ContainerSample(
        container=make_container(image_digest="sha256:1", **changes),
        details=ContainerDetails(
            image="training-image",
            mounts=(Mount("/data/outputs", "/workspace/outputs", is_read_only=False),),
            memory_bytes=1024**3,
            cpus=1.5,
            pids=None,
            shm_bytes=0,
        ),
        cpu_percent=12.5,
        memory_bytes=2**40,
        pids=3,
        sampled_at=NOW,
    )
