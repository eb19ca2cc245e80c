"""What every WebhookStore and Outbox does. A binding gives the fixtures that raise NotImplementedError here."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator.domain.errors import Conflict, NotFound, StaleJob
from orchestrator.domain.events import status_event
from orchestrator.domain.job import Job
from orchestrator.domain.lifecycle import EndReason
from orchestrator.domain.webhook import PING, DeliveryState, WebhookEvent
from orchestrator.ports.job_store import JobStore
from orchestrator.ports.webhook_store import Outbox, WebhookStore
from tests.factories import NOW, make_attempt, make_delivery, make_job, make_webhook

LATER = NOW + timedelta(days=1)


class WebhookStoreContract:
    @pytest.fixture
    def store(self) -> WebhookStore:
        raise NotImplementedError

    @pytest.fixture
    def outbox(self) -> Outbox:
        raise NotImplementedError

    @pytest.fixture
    def jobs(self) -> JobStore:
        raise NotImplementedError

    def test_a_webhook_is_read_as_it_was_written(self, store):
        webhook = make_webhook(events=(WebhookEvent.FAILED,))
        store.add(webhook, limit=1)
        assert store.get(webhook.id) == webhook
        assert list(store.list(webhook.user_id)) == [webhook]
        assert list(store.list("somebody-else")) == []

    def test_a_user_has_no_more_webhooks_than_the_limit(self, store):
        store.add(make_webhook(), limit=1)
        store.add(make_webhook(user_id="another"), limit=1)
        with pytest.raises(Conflict) as refused:
            store.add(make_webhook(), limit=1)
        assert refused.value.code == "TOO_MANY_WEBHOOKS"

    def test_a_webhook_that_is_removed_is_gone_with_what_was_pending(self, store, outbox):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        store.post(make_delivery(webhook))
        store.remove(webhook.id)
        store.remove(webhook.id)
        with pytest.raises(NotFound):
            store.get(webhook.id)
        assert _due(outbox) == []

    def test_a_second_ping_waits_for_the_first(self, store, outbox):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        ping = make_delivery(webhook, event=PING, job_id=None)
        store.post(ping)
        with pytest.raises(Conflict):
            store.post(make_delivery(webhook, event=PING))
        outbox.record(webhook, replace(ping, state=DeliveryState.DELIVERED, next_try_at=None))
        store.post(make_delivery(webhook, event=PING))
        assert store.deliveries(webhook.id, page=1, page_size=10).total == 2

    def test_deliveries_come_in_pages_newest_first(self, store):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        for age in range(3):
            store.post(make_delivery(webhook, event=f"event {age}", created_at=NOW - timedelta(hours=age)))
        page = store.deliveries(webhook.id, page=2, page_size=2)
        assert ([delivery.event for delivery in page.deliveries], page.total) == (["event 2"], 3)

    # -- the outbox ---------------------------------------------------------------------------------------------

    def test_every_transition_of_a_users_job_is_due_at_once_with_the_job_as_it_then_was(self, store, outbox, jobs):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        job = _completed(jobs)
        told = [json.loads(delivery.body) for delivery in _drained(outbox)]
        assert [message["type"] for message in told] == ["job.queued", "job.running", "job.completed"]
        assert {message["data"]["job_id"] for message in told} == {job.id}
        assert [message["data"]["end_reason"] for message in told] == [None, None, "adapter_verified"]

    def test_a_webhook_is_told_only_of_what_it_asked_for_and_of_its_own_users_jobs(self, store, outbox, jobs):
        store.add(make_webhook(events=(WebhookEvent.COMPLETED,)), limit=1)
        store.add(make_webhook(user_id="another"), limit=1)
        _completed(jobs)
        assert [delivery.event for delivery in _drained(outbox)] == ["job.completed"]

    def test_a_cancelled_job_is_told_in_the_transaction_of_the_cancel(self, store, outbox, jobs):
        store.add(make_webhook(events=(WebhookEvent.CANCELLED,)), limit=1)
        job = make_job()
        jobs.add(job, status_event(None, job, "Submitted."))
        for _ in range(2):
            jobs.request_cancel(job.id, reason="enough", at=LATER)
        assert [delivery.event for delivery in _drained(outbox)] == ["job.cancelled"]

    def test_a_transition_that_was_not_stored_is_not_told(self, store, outbox, jobs):
        store.add(make_webhook(events=(WebhookEvent.CANCELLED, WebhookEvent.FAILED)), limit=1)
        job = make_job()
        jobs.add(job, status_event(None, job, "Submitted."))
        failed = job.ended(EndReason.DATASET_MISSING, at=NOW)
        with pytest.raises(StaleJob):
            jobs.save(replace(failed, version=7), events=[status_event(job, failed, "Failed.")])
        assert _due(outbox) == []

    def test_one_message_of_each_user_is_due_and_none_of_a_busy_one(self, store, outbox):
        for user in ("alice", "alice", "bob", "carol"):
            webhook = make_webhook(user_id=user)
            store.add(webhook, limit=2)
            store.post(make_delivery(webhook))
        due = outbox.due(at=NOW, busy_users={"carol"}, limit=10)
        assert sorted(webhook.user_id for webhook, _ in due) == ["alice", "bob"]
        assert len(outbox.due(at=NOW, busy_users=(), limit=2)) == 2

    def test_what_is_to_be_tried_later_is_not_due_yet(self, store, outbox):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        store.post(make_delivery(webhook, next_try_at=LATER))
        assert _due(outbox, at=NOW) == []
        assert len(_due(outbox, at=LATER)) == 1

    def test_a_try_is_recorded_with_the_health_of_its_webhook(self, store, outbox):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        delivery = make_delivery(webhook)
        store.post(delivery)
        failing = replace(webhook, failing_since=NOW)
        tried = replace(delivery, tries=1, tried_at=NOW, next_try_at=LATER, status_code=500, error="it answered 500")
        outbox.record(failing, tried)
        assert store.get(webhook.id) == failing
        assert store.deliveries(webhook.id, page=1, page_size=1).deliveries == (tried,)

    def test_a_webhook_that_is_disabled_is_told_of_nothing_more_until_it_is_enabled(self, store, outbox, jobs):
        webhook = make_webhook(events=(WebhookEvent.QUEUED,))
        store.add(webhook, limit=1)
        first, second = make_delivery(webhook), make_delivery(webhook)
        store.post(first)
        store.post(replace(second, event=PING))
        disabled = replace(webhook, failing_since=NOW, disabled_at=NOW, disabled_reason="nobody is there")
        outbox.record(disabled, replace(first, state=DeliveryState.FAILED, next_try_at=None, error="refused"))
        _submitted(jobs)
        settled = store.deliveries(webhook.id, page=1, page_size=10).deliveries
        assert {(each.state, each.error) for each in settled} == {("failed", "refused"), ("failed", "nobody is there")}

        store.enable(webhook.id)
        assert store.get(webhook.id) == webhook
        _submitted(jobs)
        assert [delivery.event for delivery in _due(outbox)] == ["job.queued"]

    def test_only_what_was_settled_long_ago_is_forgotten(self, store, outbox):
        webhook = make_webhook()
        store.add(webhook, limit=1)
        for created_at, state in (
            (NOW, DeliveryState.DELIVERED),
            (NOW, DeliveryState.PENDING),
            (LATER, DeliveryState.FAILED),
        ):
            due = NOW if state is DeliveryState.PENDING else None
            store.post(make_delivery(webhook, event=str(state), state=state, created_at=created_at, next_try_at=due))
        assert outbox.prune(before=LATER) == 1
        left = store.deliveries(webhook.id, page=1, page_size=10).deliveries
        assert {delivery.event for delivery in left} == {"pending", "failed"}


def _due(outbox: Outbox, *, at: datetime = LATER):
    return [delivery for _, delivery in outbox.due(at=at, busy_users=(), limit=100)]


def _drained(outbox: Outbox):
    """All that is due, each settled before the next is asked for."""
    while found := outbox.due(at=LATER, busy_users=(), limit=1):
        ((webhook, delivery),) = found
        yield delivery
        outbox.record(webhook, replace(delivery, state=DeliveryState.DELIVERED, next_try_at=None))


def _submitted(jobs: JobStore) -> Job:
    job = make_job()
    return jobs.add(job, status_event(None, job, "Submitted."))


def _completed(jobs: JobStore) -> Job:
    """A job that went all the way, a second from state to state."""
    job = _submitted(jobs)
    at = job.created_at + timedelta(seconds=1)
    claimed = job.claimed(slot=1, devices=("cpu-0",), at=at)
    attempt = make_attempt(job, container_name=f"training-{uuid.uuid4()}")
    stored = jobs.claim(claimed, attempt, status_event(job, claimed, "Claimed."))
    at += timedelta(seconds=1)
    running = stored.running(started_at=at, at=at)
    stored = jobs.save(running, events=[status_event(claimed, running, "Started.")])
    ended = stored.ended(EndReason.ADAPTER_VERIFIED, at=at + timedelta(seconds=1), exit_code=0)
    return jobs.save(ended, events=[status_event(running, ended, "Completed.")])
