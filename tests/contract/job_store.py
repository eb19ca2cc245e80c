"""What every JobStore does. Bound to SQLite in tests/integration/sql; another database is one more binding."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.domain.diagnostic import DiagnosticConfig, DiagnosticTable
from orchestrator.domain.errors import Conflict, LorryError, NotFound, SlotTaken, StaleJob
from orchestrator.domain.estimates import work_of
from orchestrator.domain.events import JobEvent, Metric, status_event
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from orchestrator.domain.scheduling import QueuedJob
from orchestrator.domain.training import TrainingConfig, TrainingType
from orchestrator.ports.job_store import JobFilter, JobOrder, JobStore, Submission
from orchestrator.ports.record_store import RecordStore
from tests.factories import NOW, make_attempt, make_job

LATER = NOW + timedelta(hours=1)


def add(store, **changes):
    job = make_job(**changes)
    return store.add(job, status_event(None, job, "Submitted."))


def claim(store, job, *, slot=1, devices=None):
    """The claimed job with its attempt; a device of its own unless told."""
    devices = (f"GPU-{job.id}",) if devices is None else devices
    claimed = job.claimed(slot=slot, devices=devices, at=LATER)
    attempt = make_attempt(job, number=claimed.attempt, devices=devices)
    return store.claim(claimed, attempt, status_event(job, claimed, "Claimed.")), attempt


def make_metric(job, step, loss=0.5):
    return Metric(
        job_id=job.id,
        attempt=1,
        step=step,
        epoch=0,
        loss=loss,
        val_loss=None,
        learning_rate=1e-4,
        throughput=2.0,
        gpu_utilization=None,
        gpu_memory_bytes=2**40,
        recorded_at=NOW,
    )


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Every task's answer or LorryError, all begun at the same moment."""
    gate = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        gate.wait(timeout=30)
        try:
            return task()
        except LorryError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


class JobStoreContract:
    @pytest.fixture
    def store(self) -> JobStore:
        """An empty one."""
        raise NotImplementedError

    @pytest.fixture
    def records(self, store) -> RecordStore:
        """Over the same database."""
        raise NotImplementedError

    # -- keeping ------------------------------------------------------------------------------------------------

    def test_a_job_comes_back_as_it_was_stored(self, store):
        job = add(
            store,
            name='a "cat" \u732b',
            type=TrainingType.DREAMBOOTH,
            trigger_words=("sks", "cat"),
            preset="fast",
            priority=2,
            experiment_id="experiment",
            config=TrainingConfig(sample_prompts=("one", "two"), min_snr_gamma=5.0),
            progress=Progress(progress=12.5, phase="train", total_steps=2**40, eta_seconds=1.5, metrics={"loss": 0.1}),
        )

        assert store.get(job.id) == job

    def test_an_unknown_job_is_not_found(self, store):
        with pytest.raises(NotFound):
            store.get("nobody")
        with pytest.raises(NotFound):
            store.request_cancel("nobody", reason=None, at=NOW)
        assert list(store.attempts("nobody")) == []

    def test_a_new_jobs_event_is_stored_with_it(self, store, records):
        job = add(store)

        assert [event.message for event in records.events(job.id)] == ["Submitted."]

    def test_a_list_is_newest_first_page_by_page(self, store):
        jobs = [add(store) for _ in range(5)]

        first = store.list(JobFilter(), page=1, page_size=2)
        last = store.list(JobFilter(), page=3, page_size=2)

        assert (list(first.jobs), first.total) == ([jobs[4], jobs[3]], 5)
        assert list(last.jobs) == [jobs[0]]
        assert list(store.list(JobFilter(order=JobOrder.OLDEST)).jobs) == jobs
        assert list(store.list(JobFilter(), page=9, page_size=2).jobs) == []

    @pytest.mark.parametrize(
        ("order", "best"), [(JobOrder.BEST_LOSS, "best_loss"), (JobOrder.BEST_VAL_LOSS, "best_val_loss")]
    )
    @pytest.mark.parametrize("wanted", [JobFilter(), JobFilter(user_id="user-1", statuses=(JobStatus.QUEUED,))])
    def test_a_list_by_a_best_has_the_lowest_first_and_those_without_one_last(self, store, order, best, wanted):
        values = [0.5, None, 0.25, 0.5, None]
        jobs = [add(store, progress=Progress(**{best: value, f"{best}_step": 3})) for value in values]

        pages = [store.list(replace(wanted, order=order), page=page, page_size=2) for page in (1, 2, 3)]

        assert [job for page in pages for job in page.jobs] == [jobs[place] for place in (2, 0, 3, 1, 4)]
        assert {page.total for page in pages} == {5}

    @pytest.mark.parametrize(
        ("wanted", "facts"),
        [
            (JobFilter(user_id="me"), {"user_id": "me"}),
            (JobFilter(type="dreambooth"), {"type": TrainingType.DREAMBOOTH}),
            (JobFilter(base_model="other/model"), {"base_model": "other/model"}),
            (JobFilter(dataset_id="dataset"), {"dataset_id": "dataset"}),
            (JobFilter(experiment_id="experiment"), {"experiment_id": "experiment"}),
            (JobFilter(text="CAT"), {"name": "my cat"}),
            (JobFilter(text="50%_"), {"name": "at 50%_ of"}),
            (JobFilter(tag="گربه ? 50%"), {"tags": ("keep", "گربه ? 50%")}),
            (JobFilter(statuses=(JobStatus.FAILED, JobStatus.CANCELLED)), {"status": JobStatus.FAILED}),
        ],
        ids=lambda value: None if isinstance(value, dict) else repr(value)[:60],
    )
    def test_a_filter_holds_what_it_names_and_nothing_else(self, store, wanted, facts):
        found = add(store, **facts)
        add(store, name="50 percent", tags=("گربه", "? 50%"))

        page = store.list(wanted)

        assert (list(page.jobs), page.total) == ([found], 1)

    # -- what people say of a job -------------------------------------------------------------------------------

    def test_what_people_say_of_a_job_changes_alone_and_what_they_do_not_say_stays(self, store):
        job, _ = claim(store, add(store, name="cat", tags=("old",)))
        store.describe(job.id, {"notes": "one\ntwo", "tags": ("keep", "گربه")}, at=LATER)
        described = store.describe(job.id, {"name": None}, at=LATER)

        assert described == store.get(job.id)
        said = {"name": None, "notes": "one\ntwo", "tags": ("keep", "گربه")}
        assert described == replace(job, **said, updated_at=LATER, version=job.version + 2)

    def test_whoever_loaded_a_job_before_it_was_described_cannot_undo_that(self, store):
        job, _ = claim(store, add(store))
        store.describe(job.id, {"notes": "mine"}, at=LATER)

        with pytest.raises(StaleJob):
            store.save(job)
        assert store.get(job.id).notes == "mine"

    def test_a_job_that_is_not_there_is_not_described(self, store):
        with pytest.raises(NotFound):
            store.describe("nobody", {"name": "x"}, at=LATER)

    # -- slots and devices --------------------------------------------------------------------------------------

    def test_a_list_of_ids_holds_those_and_no_other(self, store):
        wanted, _, ended = add(store), add(store), add(store)
        store.request_cancel(ended.id, reason=None, at=LATER)
        filter_ = JobFilter(ids=(wanted.id, ended.id, "nobody"), statuses=(JobStatus.QUEUED,))

        assert [job.id for job in store.list(filter_).jobs] == [wanted.id]

    def test_the_queue_holds_what_scheduling_needs_of_every_queued_job_oldest_first(self, store):
        younger = add(store, created_at=LATER, gpus=3, retry_at=LATER, error_message="The container disappeared.")
        older = add(store, priority=-1, user_id="other", config=TrainingConfig(steps=4321))
        claim(store, add(store, user_id="runs"))
        store.request_cancel(add(store).id, reason=None, at=LATER)

        assert list(store.queue()) == [QueuedJob.of(older), QueuedJob.of(younger)]
        assert store.queue()[0].steps == 4321

    def test_the_newest_completed_jobs_say_how_long_a_run_takes(self, store):
        for minutes in (1, 2, 3):
            _complete(store, add(store, base_model=f"model/{minutes}"), seconds=60 * minutes)
        _complete(store, add(store), seconds=5, steps=0)
        claim(store, add(store, user_id="runs"))

        runs = list(store.recent_runs(limit=3))

        assert [(run.work.base_model, run.steps, run.seconds) for run in runs] == [
            ("model/3", 100, 180.0),
            ("model/2", 100, 120.0),
            ("model/1", 100, 60.0),
        ]
        assert list(store.recent_runs(limit=1)) == runs[:1]

    def test_a_run_tells_what_it_did_on_what_and_how_fast_its_trainer_was(self, store):
        config = TrainingConfig(resolution=768, batch_size=2, gradient_accumulation_steps=3)
        metrics = {"throughput": 2.5, "gpu_memory_bytes": 2**40}
        _complete(store, add(store, config=config), seconds=60, metrics=metrics)

        (run,) = store.recent_runs()

        assert run.work == work_of("lorry/tiny-sd15", config, is_on_gpu=True)
        assert (run.work.images, run.samples_a_second, run.gpu_memory_bytes) == (6, 2.5, 2**40)

    def test_a_claim_makes_a_job_active_with_its_newest_attempt(self, store):
        job, other = add(store), add(store)
        claimed, attempt = claim(store, job)
        add(store)

        assert list(store.active()) == [(claimed, attempt)]
        assert (claimed.version, claimed.status) == (2, JobStatus.PENDING)
        assert list(store.attempts(job.id)) == [attempt]
        assert store.leased_devices() == set(attempt.devices)
        assert store.get(other.id) == other

    def test_where_many_jobs_stand_is_one_question(self, store):
        waiting, (running, _) = add(store), claim(store, add(store))
        ids = {waiting.id, running.id, "model-lorry--tiny", *(str(number) for number in range(3_000))}

        assert store.standings(ids) == {
            waiting.id: (JobStatus.QUEUED, 0),
            running.id: (JobStatus.PENDING, 1),
        }
        assert store.standings(set()) == {}

    def test_a_users_slot_is_held_by_one_job(self, store):
        first, second = add(store), add(store)
        claim(store, first, slot=1)

        with pytest.raises(SlotTaken):
            claim(store, second, slot=1)

        assert store.get(second.id) == second
        assert list(store.attempts(second.id)) == []
        assert len(store.leased_devices()) == 1
        claim(store, second, slot=2)
        claim(store, add(store, user_id="other"), slot=1)

    def test_a_device_is_held_by_one_job(self, store):
        first, second = add(store, user_id="a"), add(store, user_id="b")
        claim(store, first, devices=("GPU-1",))

        with pytest.raises(SlotTaken):
            claim(store, second, devices=("GPU-2", "GPU-1"))

        assert store.leased_devices() == {"GPU-1"}
        assert store.get(second.id).status is JobStatus.QUEUED

    def test_a_claim_without_devices_leases_none(self, store):
        claim(store, add(store), devices=())

        assert store.leased_devices() == frozenset()

    def test_a_changed_job_is_not_claimed(self, store):
        job = add(store)
        store.request_cancel(job.id, reason=None, at=LATER)

        with pytest.raises(StaleJob):
            claim(store, job)
        assert store.leased_devices() == frozenset()

    def test_an_ended_job_gives_back_its_slot_and_devices(self, store):
        claimed, _ = claim(store, add(store), devices=("GPU-1",))
        store.save(claimed.ended(EndReason.KILLED, at=LATER))

        assert store.leased_devices() == frozenset()
        assert list(store.active()) == []
        claim(store, add(store), devices=("GPU-1",))

    def test_eight_threads_claiming_never_exceed_two_slots(self, store):
        jobs = [add(store) for _ in range(8)]
        tasks = [lambda job=job, slot=slot: claim(store, job, slot=slot) for job in jobs for slot in (1, 2)]

        answers = at_once(tasks)

        assert len(store.active()) == 2
        assert {job.slot for job, _ in store.active()} == {1, 2}
        assert len(store.leased_devices()) == 2
        refused = [answer for answer in answers if isinstance(answer, LorryError)]
        assert len(refused) == len(tasks) - 2
        assert {type(error) for error in refused} <= {SlotTaken, StaleJob}

    # -- saving -------------------------------------------------------------------------------------------------

    def test_a_save_stores_job_attempt_events_and_metrics(self, store, records):
        claimed, attempt = claim(store, add(store))
        running = claimed.running(started_at=LATER, at=LATER)
        attempt = attempt.evolve(container_id="c", events_offset=2**40, log_since="2026", is_oom_killed=True)

        saved = store.save(
            running,
            attempt,
            events=[status_event(claimed, running, "Started.")],
            metrics=[make_metric(claimed, 2), make_metric(claimed, 1)],
        )

        assert saved == replace(running, version=3)
        assert list(store.active()) == [(saved, attempt)]
        assert records.events(saved.id)[-1].message == "Started."
        assert [row.step for row in records.curve(saved.id).points] == [1, 2]

    def test_a_stale_save_stores_nothing(self, store, records):
        claimed, attempt = claim(store, add(store))
        store.save(claimed)
        before = records.events(claimed.id)

        with pytest.raises(StaleJob):
            store.save(
                claimed.running(started_at=LATER, at=LATER),
                attempt.evolve(container_id="c"),
                events=[_said(claimed, "Lost.")],
                metrics=[make_metric(claimed, 1)],
            )

        assert store.get(claimed.id).status is JobStatus.PENDING
        assert list(store.attempts(claimed.id)) == [attempt]
        assert list(records.events(claimed.id)) == list(before)
        assert list(records.curve(claimed.id).points) == []

    def test_an_attempt_advances_with_what_it_brought_and_the_jobs_row_stays(self, store, records):
        claimed, attempt = claim(store, add(store))
        after = attempt.evolve(events_offset=10, progress=Progress(current_step=1, metrics={"loss": 0.5}))

        store.advance(claimed, attempt, after, events=[_said(claimed, "On.")], metrics=[make_metric(claimed, 1)])

        assert list(store.active()) == [(claimed, after)]
        assert records.events(claimed.id)[-1].message == "On."
        assert [row.step for row in records.curve(claimed.id).points] == [1]

    def test_an_attempt_that_is_elsewhere_by_now_does_not_advance(self, store, records):
        claimed, attempt = claim(store, add(store))
        after = attempt.evolve(events_offset=10)
        store.advance(claimed, attempt, after)
        before = records.events(claimed.id)

        for outdated in (
            lambda: store.advance(claimed, attempt, after, events=[_said(claimed, "Twice.")]),
            lambda: store.save(claimed, attempt, events=[_said(claimed, "Twice.")]),
        ):
            with pytest.raises(StaleJob):
                outdated()

        assert list(store.active()) == [(claimed, after)]
        assert list(records.events(claimed.id)) == list(before)

    def test_an_attempt_of_a_job_that_changed_does_not_advance(self, store, records):
        claimed, attempt = claim(store, add(store))
        store.request_cancel(claimed.id, reason=None, at=LATER)

        with pytest.raises(StaleJob):
            store.advance(claimed, attempt, attempt.evolve(events_offset=10), metrics=[make_metric(claimed, 1)])

        assert list(store.attempts(claimed.id)) == [attempt]
        assert list(records.curve(claimed.id).points) == []

    def test_of_eight_advances_from_one_place_one_wins(self, store, records):
        claimed, attempt = claim(store, add(store))
        after = attempt.evolve(events_offset=10)

        answers = at_once([lambda: store.advance(claimed, attempt, after, events=[_said(claimed, "On.")])] * 8)

        assert [type(answer) for answer in answers].count(StaleJob) == 7
        assert [event.message for event in records.events(claimed.id)].count("On.") == 1

    def test_a_metric_that_is_already_stored_stays_as_it_is(self, store, records):
        claimed, _ = claim(store, add(store))
        saved = store.save(claimed, metrics=[make_metric(claimed, 1, 0.5)])
        store.save(saved, metrics=[make_metric(claimed, 1, 0.9), make_metric(claimed, 2, 0.4)])

        assert [(row.step, row.loss) for row in records.curve(claimed.id).points] == [(1, 0.5), (2, 0.4)]

    def test_of_eight_saves_of_one_version_one_wins(self, store):
        claimed, _ = claim(store, add(store))

        answers = at_once([lambda: store.save(claimed)] * 8)

        assert sum(isinstance(answer, StaleJob) for answer in answers) == 7
        assert store.get(claimed.id).version == claimed.version + 1

    # -- cancelling ---------------------------------------------------------------------------------------------

    def test_a_queued_job_is_held_for_a_reason_and_loses_no_time_of_waiting(self, store):
        job = add(store)

        assert store.hold(job.id, "its pictures are on their way")

        [waiting] = store.queue()
        assert (waiting.hold_reason, waiting.updated_at) == ("its pictures are on their way", job.updated_at)
        assert store.get(job.id).updated_at == job.updated_at
        assert store.hold(job.id, None)
        assert store.queue()[0].hold_reason is None

    def test_a_job_that_is_not_queued_is_not_held(self, store):
        job, _ = claim(store, add(store))

        assert not store.hold(job.id, "too late")
        assert not store.hold("no such job", "never")
        assert store.get(job.id).version == job.version

    def test_a_queued_job_is_cancelled_at_once(self, store, records):
        job = add(store)
        cancelled = store.request_cancel(job.id, reason="enough", at=LATER)

        assert (cancelled.status, cancelled.end_reason) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
        assert (cancelled.cancel_requested_at, cancelled.completed_at) == (LATER, LATER)
        assert (cancelled.cancel_reason, cancelled.version) == ("enough", 2)
        assert store.get(job.id) == cancelled
        last = records.events(job.id)[-1]
        assert (last.type, last.old_status, last.new_status) == ("status", "queued", "cancelled")

    def test_an_active_job_keeps_its_state_and_its_first_reason(self, store, records):
        claimed, _ = claim(store, add(store))
        store.request_cancel(claimed.id, reason="first", at=LATER)
        again = store.request_cancel(claimed.id, reason="second", at=LATER + timedelta(seconds=1))

        assert (again.status, again.end_reason, again.completed_at) == (JobStatus.PENDING, None, None)
        assert (again.cancel_reason, again.cancel_requested_at) == ("first", LATER)
        assert [event.type for event in records.events(claimed.id)].count("cancel") == 1

    def test_a_wish_without_time_to_save_is_noted_also_after_one_with_it(self, store, records):
        claimed, _ = claim(store, add(store))
        store.request_cancel(claimed.id, reason="first", at=LATER)
        stopping = store.get(claimed.id)
        store.save(replace(stopping, kill_at=LATER + timedelta(seconds=60)))
        now = LATER + timedelta(seconds=5)
        hurried = store.request_cancel(claimed.id, reason="second", at=now, saves=False)

        assert (hurried.kill_at, hurried.cancel_requested_at, hurried.cancel_reason) == (now, LATER, "first")
        assert hurried == store.get(claimed.id)
        later = now + timedelta(seconds=1)
        assert store.request_cancel(claimed.id, reason=None, at=later, saves=False) == hurried
        assert store.request_cancel(claimed.id, reason=None, at=later) == hurried
        messages = [event.message for event in records.events(claimed.id) if event.type == "cancel"]
        assert messages == ["Cancel requested: first", "Stop requested, without time to save: second"]

    def test_a_first_wish_may_be_one_without_time_to_save(self, store):
        claimed, _ = claim(store, add(store))
        stopped = store.request_cancel(claimed.id, reason=None, at=LATER, saves=False)
        queued = store.request_cancel(add(store).id, reason=None, at=LATER, saves=False)

        assert (stopped.kill_at, stopped.cancel_requested_at, stopped.status) == (LATER, LATER, JobStatus.PENDING)
        assert (queued.kill_at, queued.status) == (None, JobStatus.CANCELLED)

    def test_an_ended_job_is_returned_as_it_is(self, store):
        claimed, _ = claim(store, add(store))
        ended = store.save(claimed.ended(EndReason.KILLED, at=LATER))

        assert store.request_cancel(ended.id, reason="late", at=LATER) == ended

    def test_a_cancel_is_never_lost_against_saves(self, store):
        job, _ = claim(store, add(store))

        def save_until_stale():
            saved = job
            while True:
                saved = store.save(saved)

        answers = at_once([save_until_stale, lambda: store.request_cancel(job.id, reason=None, at=LATER)])

        assert isinstance(answers[0], StaleJob)
        assert store.get(job.id).is_cancel_requested

    # -- idempotency --------------------------------------------------------------------------------------------

    def test_a_repeated_submission_gives_the_earlier_job(self, store, records):
        first, second = make_job(), make_job()
        submission = Submission("key", "body")

        stored = store.add(first, status_event(None, first, "Submitted."), submission)

        assert store.add(second, status_event(None, second, "Submitted."), submission) == stored == first
        assert store.list(JobFilter()).total == 1
        assert len(records.events(first.id)) == 1

    def test_a_key_with_another_body_is_refused(self, store):
        first, second = make_job(), make_job()
        store.add(first, status_event(None, first, "Submitted."), Submission("key", "body"))

        with pytest.raises(Conflict) as refused:
            store.add(second, status_event(None, second, "Submitted."), Submission("key", "other"))
        assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"

    def test_a_key_belongs_to_its_user(self, store):
        for user_id in ("a", "b"):
            job = make_job(user_id=user_id)
            store.add(job, status_event(None, job, "Submitted."), Submission("key", "body"))

        assert store.list(JobFilter()).total == 2

    def test_a_diagnostic_job_is_stored_with_its_settings_and_the_rows_it_brings(self, store):
        config, table = DiagnosticConfig(epochs=3, steps=7), DiagnosticTable("rows.csv", "x,y\n1,2\n")
        with_rows = make_job(type=TrainingType.DIAGNOSTIC, config=config)
        without = make_job(type=TrainingType.DIAGNOSTIC)
        store.add(with_rows, status_event(None, with_rows, "Submitted."), table=table)
        store.add(without, status_event(None, without, "Submitted."))

        assert store.get(with_rows.id).config == config
        assert (store.table(with_rows.id), store.table(without.id)) == (table, None)
        assert [job.steps for job in store.queue()] == [7, 1]

    def test_diagnostic_jobs_tell_nothing_of_how_long_adapters_take(self, store):
        _complete(store, add(store, type=TrainingType.DIAGNOSTIC), seconds=3)

        assert list(store.recent_runs()) == []

    def test_a_key_stays_with_a_job_that_has_changed(self, store):
        first, second = make_job(), make_job()
        stored = store.add(first, status_event(None, first, "Submitted."), Submission("key", "body"))
        claimed, _ = claim(store, stored)

        assert store.add(second, status_event(None, second, "Submitted."), Submission("key", "body")) == claimed

    def test_twenty_submissions_with_one_key_make_one_job(self, store):
        jobs = [make_job() for _ in range(20)]
        tasks = [
            lambda job=job: store.add(job, status_event(None, job, "Submitted."), Submission("key", "body"))
            for job in jobs
        ]

        answers = at_once(tasks)

        (stored,) = store.list(JobFilter()).jobs
        assert answers == [stored] * 20


def _complete(store, job, *, seconds, steps=100, **progress):
    claimed, attempt = claim(store, job)
    progress = Progress(current_step=steps, total_steps=100, **progress)
    running = store.save(claimed.running(started_at=NOW, at=NOW).with_progress(progress, at=NOW), attempt)
    store.save(running.ended(EndReason.ADAPTER_VERIFIED, at=NOW + timedelta(seconds=seconds)), attempt)


def _said(job, message):
    return JobEvent(job_id=job.id, attempt=1, type="error", message=message, at=NOW)
