"""Passes over jobs as they start, run and end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from orchestrator.adapters.memory import Program
from orchestrator.domain.container import ContainerState
from orchestrator.domain.errors import StaleJob
from orchestrator.domain.lifecycle import ENDINGS, EndReason, JobStatus
from orchestrator.domain.training import TrainingConfig
from tests.factories import make_spec
from tests.unit.services.world import ADMIN, ALICE, BOB, MISSING_MODEL, POLICY, UNBUILT_MODEL


def _ended(world, job_id):
    job = world.job(job_id)
    return job.status, job.end_reason


def _left_nothing(world, job_id):
    is_gone = all(container.job_id != job_id for container in world.containers())
    return is_gone and world.job(job_id).slot is None and not world.store.leased_devices()


def _states(world):
    return [container.state for container in world.containers()]


def test_a_job_runs_reports_and_completes_with_evidence(world):
    job_id = world.submit()
    first = world.run_once()
    assert (first.started, world.job(job_id).status) == (1, JobStatus.RUNNING)
    assert world.workspace.configs[job_id]["job_id"] == job_id

    world.engine.print(world.container(job_id).id, "hello")
    world.write_event(job_id, "phase", phase="train")
    world.write_event(job_id, "progress", step=5, total_steps=10, progress=50)
    world.write_event(job_id, "metrics", step=5, loss=0.5)
    world.run_once()
    assert (world.job(job_id).progress.progress, world.job(job_id).progress.phase) == (50.0, "train")

    world.complete(job_id)
    last = world.run_once()

    assert (last.finished, last.removed, last.failed_steps) == (1, 1, 0)
    assert _ended(world, job_id) == (JobStatus.COMPLETED, EndReason.ADAPTER_VERIFIED)
    assert world.job(job_id).progress.progress == 100.0
    assert _left_nothing(world, job_id)
    assert world.workspace.read_log(job_id, tail=10) == ("hello",)
    assert [row.step for row in world.records.curve(job_id).points] == [5]
    kinds = {artifact.name: artifact.kind for artifact in world.records.artifacts(job_id)}
    assert kinds["adapter.safetensors"] == "adapter"
    moves = [(event.old_status, event.new_status) for event in world.records.events(job_id) if event.type == "status"]
    assert moves == [(None, "queued"), ("queued", "pending"), ("pending", "running"), ("running", "completed")]


def test_a_finished_attempt_keeps_what_the_engine_said_of_its_container(world):
    job_id = world.submit()
    world.run_once()
    container_id = world.container(job_id).id
    world.exit(job_id, 137, is_oom_killed=True)
    world.run_once()

    attempt = world.store.attempts(job_id)[0]

    assert (attempt.container_id, attempt.exit_code, attempt.is_oom_killed) == (container_id, 137, True)
    assert attempt.started_at is not None
    assert attempt.finished_at is not None
    assert attempt.end_reason is EndReason.OUT_OF_MEMORY


def test_exit_0_without_a_result_is_no_success(world):
    job_id = world.submit()
    world.run_once()
    world.exit(job_id, 0)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.ADAPTER_INVALID)
    assert "names no adapter file" in world.job(job_id).error_message


def test_an_adapter_that_is_not_the_reported_one_is_no_success(world):
    job_id = world.submit()
    world.run_once()
    world.leave_adapter(job_id, claimed_sha256="0" * 64)
    world.exit(job_id, 0)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.ADAPTER_INVALID)


def test_the_trainers_own_sentence_follows_the_reason(world):
    job_id = world.submit(config=TrainingConfig(gradient_checkpointing=True, optimizer="adamw8bit"))
    world.run_once()
    world.write_event(job_id, "error", code="GPU_OUT_OF_MEMORY", message="Needed 20 GiB, had 8.")
    world.exit(job_id, 13)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.GPU_OUT_OF_MEMORY)
    sentence = ENDINGS[EndReason.GPU_OUT_OF_MEMORY].sentence
    assert world.job(job_id).error_message == f"{sentence} Needed 20 GiB, had 8."


def test_a_trainer_that_ends_between_two_passes_is_concluded_from_its_evidence(world):
    job_id = world.submit()
    world.run_once()
    world.complete(job_id)

    world.run_once(after_seconds=10_000)

    assert world.job(job_id).status is JobStatus.COMPLETED


def test_the_third_job_of_a_user_waits_and_starts_by_itself(world):
    first, second, third = (world.submit() for _ in range(3))
    others = world.submit(BOB)
    world.run_once()
    assert [world.job(job_id).status for job_id in (first, second, third, others)] == [
        JobStatus.RUNNING,
        JobStatus.RUNNING,
        JobStatus.QUEUED,
        JobStatus.RUNNING,
    ]
    assert "your limit of 2" in world.jobs.get(ALICE, third).place.reason

    world.complete(first)
    world.run_once()

    assert world.job(third).status is JobStatus.RUNNING
    assert {world.job(job_id).slot for job_id in (second, third)} == {1, 2}


def test_a_queued_job_is_cancelled_at_once_and_never_started(world):
    running = [world.submit(), world.submit()]
    waiting = world.submit()
    world.run_once()

    world.cancel(waiting)
    assert _ended(world, waiting) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)

    for job_id in running:
        world.complete(job_id)
    world.run_once()
    world.run_once()
    assert world.containers() == []


def test_a_running_job_is_told_to_stop_and_ends_cancelled(world):
    job_id = world.submit()
    world.run_once()
    world.cancel(job_id)
    world.run_once()
    assert world.store.attempts(job_id)[-1].stop_requested_at is not None

    world.run_once()

    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
    assert _left_nothing(world, job_id)


def test_a_trainer_that_ignores_the_request_is_killed_after_its_grace(world):
    world.engine.program = lambda spec: Program(obeys_sigterm=False)
    job_id = world.submit()
    world.run_once()
    world.cancel(job_id)
    world.run_once()
    world.run_once(after_seconds=59)
    assert world.is_running(job_id)

    world.run_once(after_seconds=1)
    assert _states(world) == [ContainerState.EXITED]

    world.run_once()
    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)


def test_an_adapter_that_was_finished_before_the_cancel_landed_is_kept(world):
    job_id = world.submit()
    world.run_once()
    world.complete(job_id)
    world.cancel(job_id)
    world.run_once()

    assert world.job(job_id).status is JobStatus.COMPLETED


class _Interrupting:
    """The engine, with something that happens around one of its methods."""

    def __init__(self, engine, method, *, before=None, after=None):
        self._engine, self._method, self._before, self._after = engine, method, before, after

    def __getattr__(self, name):
        real = getattr(self._engine, name)
        return self._wrapped(real) if name == self._method else real

    def _wrapped(self, real):
        def call(*args, **kwargs):
            if self._before is not None:
                self._before(*args, **kwargs)
            answer = real(*args, **kwargs)
            if self._after is not None:
                self._after(answer)
            return answer

        return call


def test_a_job_cancelled_between_create_and_record_is_never_started(world):
    job_id = world.submit()
    world.restarted(_Interrupting(world.engine, "create", after=lambda _: world.cancel(job_id)))
    done = world.run_once()
    assert (done.failed_steps, _states(world)) == (0, [ContainerState.CREATED])
    assert world.job(job_id).status is JobStatus.PENDING

    world.restarted()
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
    assert world.job(job_id).started_at is None
    assert _left_nothing(world, job_id)


class _Crash(Exception):
    """The end of a process, as far as one job can tell."""


def _crash(*_args, **_kwargs):
    raise _Crash


def test_a_job_whose_create_was_cut_off_is_launched_by_the_next_process(world):
    job_id = world.submit()
    world.restarted(_Interrupting(world.engine, "create", after=_crash))
    world.run_once()
    (left,) = world.containers()
    assert left.state is ContainerState.CREATED

    world.restarted()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert [container.id for container in world.containers()] == [left.id]


def test_a_job_whose_start_was_not_recorded_is_found_running(world):
    job_id = world.submit()
    world.restarted(_Interrupting(world.engine, "start", after=_crash))
    world.run_once()
    assert world.job(job_id).status is JobStatus.PENDING
    assert world.is_running(job_id)

    world.restarted()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert len(world.containers()) == 1


def test_a_cancelled_launch_that_was_never_created_ends_without_a_container(world):
    job_id = world.submit()
    world.restarted(_Interrupting(world.engine, "create", before=_crash))
    world.run_once()
    world.cancel(job_id)
    world.restarted()
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
    assert world.containers() == []


def test_a_container_of_an_ended_job_is_swept_after_a_crash(world):
    job_id = world.submit()
    world.run_once()
    world.complete(job_id)
    world.restarted(_Interrupting(world.engine, "remove", before=_crash))
    world.run_once()
    assert world.job(job_id).status is JobStatus.COMPLETED
    assert len(world.containers()) == 1

    world.restarted()
    assert world.run_once().removed == 1
    assert world.containers() == []


def test_events_are_taken_in_once_across_a_restart(world):
    job_id = world.submit()
    world.run_once()
    world.write_event(job_id, "phase", phase="load")
    world.write_event(job_id, "metrics", step=1, loss=0.5)
    world.run_once()
    world.write_event(job_id, "phase", phase="train")
    world.write_event(job_id, "metrics", step=2, loss=0.4)

    world.restarted()
    world.run_once()
    world.run_once()
    world.complete(job_id)
    world.run_once()

    phases = [event.data["phase"] for event in world.records.events(job_id) if event.type == "phase"]
    assert phases == ["load", "train"]
    assert [row.step for row in world.records.curve(job_id).points] == [1, 2]


def test_log_lines_are_taken_in_once_across_a_restart(world):
    job_id = world.submit()
    world.run_once()
    container_id = world.container(job_id).id
    world.engine.print(container_id, "one", "two")
    world.run_once(after_seconds=5)
    world.engine.print(container_id, "three")
    world.restarted()
    world.run_once(after_seconds=5)
    world.exit(job_id, 1)
    world.run_once()

    assert world.workspace.read_log(job_id, tail=10) == ("one", "two", "three")


def test_a_job_on_an_engine_that_was_replaced_waits_for_it_and_says_so_once(world):
    job_id = world.submit()
    world.run_once()
    world.engine.engine_id = "engine-2"
    for _ in range(3):
        world.run_once()
    newer = world.submit()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert world.event_types(job_id).count("engine") == 1
    assert world.job(newer).status is JobStatus.RUNNING

    world.engine.engine_id = "engine-1"
    world.complete(job_id)
    world.run_once()

    assert world.job(job_id).status is JobStatus.COMPLETED


def test_a_stopping_job_says_until_when_it_may_save_and_is_killed_then_and_not_before(world):
    world.engine.program = lambda spec: Program(obeys_sigterm=False)
    job_id = world.submit()
    world.run_once()
    world.cancel(job_id)
    assert world.job(job_id).kill_at is None  # nobody has told its container yet

    world.run_once()
    kill_at = world.job(job_id).kill_at
    assert kill_at == world.clock.now() + timedelta(seconds=POLICY.stop_grace_seconds)
    world.run_once(after_seconds=POLICY.stop_grace_seconds - 1)
    assert world.store.attempts(job_id)[0].kill_count == 0
    world.run_once()

    assert (world.clock.now(), world.store.attempts(job_id)[0].kill_count) == (kill_at, 1)
    world.run_once()
    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
    assert world.job(job_id).kill_at is None


@pytest.mark.parametrize("is_stopping", [False, True], ids=["at once", "while it saves"])
def test_a_job_that_is_to_stop_now_is_killed_in_the_next_pass(world, is_stopping):
    world.engine.program = lambda spec: Program(obeys_sigterm=False)
    job_id = world.submit()
    world.run_once()
    if is_stopping:
        world.cancel(job_id)
        world.run_once()
    world.jobs.cancel(ALICE, job_id, reason=None, saves=False)

    world.run_once()
    attempt = world.store.attempts(job_id)[0]
    assert (attempt.kill_count, attempt.stop_requested_at is not None) == (1, is_stopping)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.CANCELLED, EndReason.CANCEL_REQUESTED)
    assert _left_nothing(world, job_id)


def test_the_step_of_the_newest_checkpoint_is_known_while_the_job_runs(world):
    job_id = world.submit()
    world.run_once()
    assert world.job(job_id).progress.checkpoint_step is None
    world.write_event(job_id, "checkpoint", step=500, path="checkpoints/step-000500")
    world.run_once()
    assert world.job(job_id).progress.checkpoint_step == 500


def test_a_cancel_ends_a_job_whose_engine_is_gone_for_good(world):
    job_id = world.submit()
    world.run_once()
    world.engine.lose(world.container(job_id).id)
    world.engine.engine_id = "engine-2"
    world.cancel(job_id)
    world.run_once(after_seconds=POLICY.stop_grace_seconds)
    assert world.job(job_id).status is JobStatus.RUNNING

    world.run_once(after_seconds=1)

    assert world.job(job_id).status is JobStatus.CANCELLED
    assert world.store.leased_devices() == frozenset()


def test_an_unreachable_engine_changes_nothing_and_is_the_reason_to_wait(world):
    running = world.submit()
    world.run_once()
    before = world.job(running)
    waiting = world.submit()
    world.engine.is_reachable = False

    done = world.run_once(after_seconds=10_000)

    assert (done.is_engine_reachable, done.failed_steps) == (False, 0)
    assert world.job(running) == before
    assert world.job(waiting).status is JobStatus.QUEUED
    assert "has not answered since" in world.jobs.get(ALICE, waiting).place.reason

    world.engine.is_reachable = True
    world.run_once()
    assert world.records.engine_status().problem is None
    assert world.job(waiting).status is JobStatus.RUNNING


@pytest.mark.parametrize("method", ["snapshot", "image_digest", "create", "start", "inspect", "logs"])
def test_an_engine_that_goes_away_in_the_middle_of_a_pass_harms_nothing(world, method):
    job_id = world.submit()
    world.restarted(_Interrupting(world.engine, method, before=lambda *_, **__: _unplug(world)))
    world.run_once()
    world.run_once()
    assert not world.job(job_id).status.is_final

    world.engine.is_reachable = True
    world.restarted()
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert len(world.containers()) == 1


def _unplug(world):
    world.engine.is_reachable = False


def test_a_missing_gpu_driver_fails_the_job_and_removes_its_container(world):
    world.devices[:] = ["GPU-1"]
    world.restarted()
    job_id = world.submit()
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.GPU_UNAVAILABLE)
    assert _left_nothing(world, job_id)
    assert world.store.attempts(job_id)[-1].end_reason is EndReason.GPU_UNAVAILABLE


def test_a_removed_dataset_fails_the_job(world):
    dataset_id = world.dataset()
    job_id = world.submit(dataset_id=dataset_id)
    world.versions.remove(dataset_id)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.DATASET_MISSING)
    assert dataset_id in world.job(job_id).error_message
    assert _left_nothing(world, job_id)


def test_a_dataset_without_its_files_fails_the_job(world):
    dataset_id = world.dataset()
    job_id = world.submit(dataset_id=dataset_id)
    world.files.remove(dataset_id)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.DATASET_MISSING)
    assert _left_nothing(world, job_id)


def test_a_model_that_was_taken_away_fails_the_job(world):
    world.models.set_ready(MISSING_MODEL.folder, is_ready=True)
    job_id = world.submit(base_model=MISSING_MODEL.id)
    world.models.set_ready(MISSING_MODEL.folder, is_ready=False)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.BASE_MODEL_UNAVAILABLE)
    assert MISSING_MODEL.folder in world.job(job_id).error_message
    assert _left_nothing(world, job_id)


def _builds_with(exit_code, *lines):
    """The training image as a program: building a model ends at once, training runs on."""

    def program(spec):
        return Program(lines=lines, exit_code=exit_code) if "build_model.py" in spec.command else Program()

    return program


def test_a_built_in_model_is_made_before_the_job_that_needs_it(world):
    world.engine.program = _builds_with(0)
    job_id = world.submit(base_model=UNBUILT_MODEL.id)
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING
    assert [container.job_id for container in world.containers()] == [job_id]


def test_a_built_in_model_that_cannot_be_made_fails_the_job_with_the_builders_last_line(world):
    world.engine.program = _builds_with(70, "No space left.")
    job_id = world.submit(base_model=UNBUILT_MODEL.id)
    world.run_once()

    assert _ended(world, job_id) == (JobStatus.FAILED, EndReason.BASE_MODEL_UNAVAILABLE)
    assert "No space left." in world.job(job_id).error_message
    assert _left_nothing(world, job_id)


def test_a_name_taken_by_somebody_elses_container_leaves_that_alone(world):
    job_id = world.submit()
    foreign = world.engine.of_instance("other")
    foreign.create(make_spec(job_id))
    world.run_once()

    assert world.store.attempts(job_id)[-1].end_reason is EndReason.LAUNCH_REFUSED
    assert len(foreign.snapshot().containers) == 1


def test_a_job_an_admin_submitted_on_another_users_dataset_runs(world):
    job_id = world.submit(ADMIN, dataset_id=world.dataset(ALICE))
    world.run_once()

    assert world.job(job_id).status is JobStatus.RUNNING


def test_an_orphan_is_removed_after_its_grace_and_a_foreign_container_never(world):
    world.engine.create(make_spec())
    foreign = world.engine.of_instance("other")
    foreign.create(make_spec())
    world.run_once(after_seconds=600)
    assert len(world.containers()) == 1

    assert world.run_once(after_seconds=1).removed == 1
    assert world.containers() == []
    assert len(foreign.snapshot().containers) == 1


def test_a_step_that_failed_unforeseen_is_not_repeated_in_every_pass(world):
    job_id = world.submit()
    world.run_once()
    world.exit(job_id, 1)
    world.restarted(_Interrupting(world.engine, "inspect", before=_crash))

    assert [world.run_once(after_seconds=1).failed_steps for _ in range(4)] == [1, 0, 0, 0]
    assert world.run_once(after_seconds=2).failed_steps == 1


def test_one_jobs_failure_does_not_stop_the_pass(world):
    first, second = world.submit(), world.submit(BOB)
    waiting = world.submit(BOB)
    world.run_once()
    broken = world.container(first).id
    world.exit(first, 1)
    world.complete(second)

    world.restarted(_Interrupting(world.engine, "inspect", before=lambda id_: _crash() if id_ == broken else None))
    done = world.run_once()

    assert done.failed_steps == 1
    assert world.job(first).status is JobStatus.RUNNING
    assert world.job(second).status is JobStatus.COMPLETED
    assert world.job(waiting).status is JobStatus.RUNNING


def test_a_job_changed_by_somebody_else_is_looked_at_again(world):
    job_id = world.submit()
    world.run_once()
    stale = world.job(job_id)
    world.cancel(job_id)

    with pytest.raises(StaleJob):
        world.store.save(stale)
    world.run_once()
    world.run_once()
    assert world.job(job_id).status is JobStatus.CANCELLED


def test_events_that_are_no_file_leave_the_job_running(world):
    job_id = world.submit()
    world.run_once()
    world.workspace.write(job_id, "events.jsonl", None)
    done = world.run_once()

    assert done.failed_steps == 0
    assert world.job(job_id).status is JobStatus.RUNNING
