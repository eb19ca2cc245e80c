"""What a trainer reports is stored once and in order, and bounded, whatever it writes and whenever we are killed."""

from __future__ import annotations

import itertools
import json

import pytest

from orchestrator.domain.errors import RuntimeUnavailable, StaleJob
from orchestrator.domain.events import MAX_EVENTS_BYTES, MAX_HISTORY_ROWS, MAX_TEXT_LENGTH
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.services.ingest import EVENTS_BITE_BYTES, MEASURE_SECONDS, REST_PATIENCE_SECONDS
from orchestrator.services.log_capture import REST_MISSING

EVENTS = "events.jsonl"


class Standin:
    """Stands in for a port: everything goes through to the real one, but for what a test changes."""

    def __init__(self, real):
        self._real = real

    def __getattr__(self, name):
        return getattr(self._real, name)


class StoreThatFails(Standin):
    """Raises `error` at the next write, once."""

    error: Exception | None = None

    def save(self, *args, **rows):
        self._fail_once()
        return self._real.save(*args, **rows)

    def advance(self, *args, **rows):
        self._fail_once()
        return self._real.advance(*args, **rows)

    def _fail_once(self):
        if (error := self.error) is not None:
            self.error = None
            raise error


class EngineWithoutLogs(Standin):
    """An engine that does everything but give logs."""

    def logs(self, *_args, **_options):
        raise RuntimeUnavailable("The log cannot be had.")


class SlowEngine(Standin):
    """Reading a log takes three seconds."""

    reads = 0

    def logs(self, container_id, **options):
        self.reads += 1
        self._clock.advance(3)
        return self._real.logs(container_id, **options)


@pytest.fixture
def running(world):
    """The id of a job whose container runs."""
    job_id = world.submit()
    world.run_once()
    return job_id


def attempt_of(world, job_id):
    return world.store.attempts(job_id)[-1]


def steps(world, job_id):
    return [row.step for row in world.records.curve(job_id).points]


def log(world, job_id):
    return world.workspace.read_log(job_id, tail=100_000)


def event_line(type_, **fields):
    return json.dumps({"v": 1, "type": type_, "at": "2026-01-01T00:00:00Z", **fields}).encode() + b"\n"


def rows_of(world, job_id, type_):
    return [event for event in world.records.events(job_id, limit=100_000) if event.type == type_]


# -- events, exactly once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [StaleJob("somebody was quicker"), RuntimeError("killed")], ids=["stale", "killed"])
def test_what_was_read_but_not_stored_is_read_again(world, running, error):
    world.store = StoreThatFails(world.store)
    world.restarted()
    world.write_event(running, "phase", phase="load")
    world.write_event(running, "metrics", step=1, loss=0.5)
    world.engine.print(world.container(running).id, "one", "two")

    world.store.error = error
    world.run_once()
    assert steps(world, running) == []
    world.restarted()
    world.run_once()
    world.run_once()

    assert steps(world, running) == [1]
    assert world.event_types(running).count("phase") == 1
    assert log(world, running) == ("one", "two")


# -- the job's row ------------------------------------------------------------------------------------------------


def report(world, job_id, step):
    world.write_event(job_id, "metrics", step=step, loss=0.5)
    world.write_event(job_id, "progress", step=step)


def follow_ten_seconds(world, job_id):
    """Ten reports a second, four looks a second; returns how often the job's row was written."""
    before = world.job(job_id).version
    reports = iter(range(1, 101))
    for look in range(40):
        for step in itertools.islice(reports, 2 + look % 2):
            report(world, job_id, step)
        world.run_once(after_seconds=0.25)
    return world.job(job_id).version - before


def test_the_jobs_row_follows_progress_once_a_second_and_its_records_at_once(world, running):
    world.write_event(running, "phase", phase="train")
    world.run_once()

    assert follow_ten_seconds(world, running) <= 11
    assert steps(world, running) == list(range(1, 101))


def test_the_jobs_row_keeps_the_best_of_its_losses_and_when_that_was(world, running):
    for step, losses in enumerate(({"loss": 0.5, "val_loss": 0.9}, {"loss": 0.25}, {"loss": 0.75, "val_loss": 0.8}), 1):
        world.write_event(running, "metrics", step=step, **losses)
        world.run_once(after_seconds=1)
    world.restarted()
    world.write_event(running, "metrics", step=4, loss=0.25, val_loss=0.8)
    world.run_once(after_seconds=1)

    progress = world.job(running).progress

    assert (progress.best_loss, progress.best_loss_step) == (0.25, 2)
    assert (progress.best_val_loss, progress.best_val_loss_step) == (0.8, 3)


def test_the_last_progress_is_shown_a_second_later_though_the_trainer_says_nothing_more(world, running):
    for step in (1, 2):
        report(world, running, step)
        world.run_once(after_seconds=0.25)
    assert (world.job(running).progress.current_step, steps(world, running)) == (1, [1, 2])

    world.run_once(after_seconds=1)
    assert world.job(running).progress.current_step == 2
    assert attempt_of(world, running).progress is None


def test_a_new_phase_is_shown_at_once_with_all_progress_before_it(world, running):
    report(world, running, 1)
    world.run_once(after_seconds=0.25)
    report(world, running, 2)
    world.write_event(running, "phase", phase="evaluate")
    world.run_once(after_seconds=0.25)

    progress = world.job(running).progress
    assert (progress.current_step, progress.phase) == (2, "evaluate")


@pytest.mark.parametrize("is_killed", [False, True])
def test_the_last_progress_of_a_job_that_ends_is_not_lost_to_the_pace_nor_to_a_crash(world, running, is_killed):
    for step in (1, 2):
        report(world, running, step)
        world.run_once(after_seconds=0.1)
    if is_killed:
        world.restarted()
    world.exit(running, 70)
    world.run_once(after_seconds=0.1)

    job = world.job(running)
    assert (job.status, job.progress.current_step) == (JobStatus.FAILED, 2)


def test_lines_that_were_written_but_not_stored_as_captured_are_not_doubled(world, running):
    world.store = StoreThatFails(world.store)
    world.restarted()
    container_id = world.container(running).id
    world.engine.print(container_id, "one", "two")

    world.store.error = RuntimeError("killed after the log was written, before its place was stored")
    world.run_once()
    assert log(world, running) == ("one", "two")
    world.engine.print(container_id, "three")
    world.restarted()
    world.run_once()

    assert log(world, running) == ("one", "two", "three")


def test_a_line_that_is_half_written_waits_for_its_other_half(world, running):
    line = event_line("metrics", step=1, loss=0.5)
    world.workspace.write(running, EVENTS, line[:20])
    world.run_once()
    assert attempt_of(world, running).events_offset == 0

    world.workspace.write(running, EVENTS, line[20:])
    world.run_once()
    assert steps(world, running) == [1]


def test_a_last_line_without_an_end_counts_when_it_is_whole(world, running):
    world.workspace.write(running, EVENTS, event_line("error", code="internal", message="out of cheese").rstrip())
    world.exit(running, 70)
    world.run_once()

    assert "out of cheese" in world.job(running).error_message


def test_half_a_last_line_does_not_spoil_the_next_attempts_first(world, running):
    world.workspace.write(running, EVENTS, event_line("metrics", step=1, loss=0.5)[:20])
    world.engine.lose(world.container(running).id)
    world.run_once()
    world.run_once(after_seconds=100)
    assert (world.job(running).status, world.job(running).attempt) == (JobStatus.RUNNING, 2)

    world.write_event(running, "metrics", step=2, loss=0.4)
    world.run_once()

    assert [(row.attempt, row.step) for row in world.records.curve(running).points] == [(2, 2)]


def test_a_file_that_the_container_cut_is_said_once_and_read_on_from_its_new_end(world, running):
    world.write_event(running, "metrics", step=1, loss=0.5)
    world.write_event(running, "metrics", step=2, loss=0.5)
    world.run_once()

    world.workspace.outputs[running][EVENTS] = event_line("metrics", step=1, loss=0.5)
    world.run_once()
    world.run_once()
    world.write_event(running, "metrics", step=3, loss=0.5)
    world.run_once()

    assert steps(world, running) == [1, 2, 3]
    assert [row.message for row in rows_of(world, running, "gap")] == [
        "The trainer's event file shrank from 164 to 82 bytes."
    ]


def test_steps_that_repeat_or_go_backwards_are_stored_once_each(world, running):
    for step, loss in ((5, 0.5), (5, 0.4), (3, 0.3), (5, 0.2)):
        world.write_event(running, "metrics", step=step, loss=loss)
        world.run_once()

    assert [(row.step, row.loss) for row in world.records.curve(running).points] == [(3, 0.3), (5, 0.5)]


# -- events, bounded ----------------------------------------------------------------------------------------------


def test_a_line_of_five_megabytes_is_passed_over_a_bite_a_pass(world, running):
    world.workspace.write(running, EVENTS, b'{"v":1,"type":"a","x":"' + b"x" * 5_000_000 + b'"}\n')
    world.write_event(running, "metrics", step=1, loss=0.5)

    world.run_once()
    assert attempt_of(world, running).events_offset == EVENTS_BITE_BYTES
    for _ in range(5):
        world.run_once()

    assert steps(world, running) == [1]
    assert world.event_types(running).count("a") == 0


def test_a_million_tiny_lines_do_not_hide_the_event_behind_them(world, running):
    world.workspace.write(running, EVENTS, b"\n" * 500_000 + b"{\n" * 500_000)
    world.leave_adapter(running)
    world.exit(running, 0)
    world.run_once()

    assert world.job(running).status is JobStatus.COMPLETED


def test_the_history_of_a_trainer_that_never_stops_talking_is_full_once_and_keeps_its_end(world, running):
    world.workspace.write(running, EVENTS, event_line("sample", step=1) * (MAX_HISTORY_ROWS + 50))
    world.write_event(running, "metrics", step=1, loss=0.5)
    world.leave_adapter(running)
    world.workspace.write(running, EVENTS, event_line("error", code="x", message="y") * 500)
    world.exit(running, 0)
    world.run_once()

    assert world.job(running).status is JobStatus.COMPLETED
    assert len(rows_of(world, running, "sample")) == MAX_HISTORY_ROWS
    assert len(rows_of(world, running, "gap")) == 1
    assert len(rows_of(world, running, "error")) < 100
    assert steps(world, running) == [1]


def test_beyond_what_an_attempt_may_write_nothing_is_read_and_the_history_says_so_once(world, running):
    job, attempt = world.job(running), attempt_of(world, running)
    line = event_line("metrics", step=1, loss=0.5)
    world.store.save(job, attempt.evolve(events_bytes=MAX_EVENTS_BYTES - len(line)))

    world.workspace.write(running, EVENTS, line)
    world.write_event(running, "metrics", step=2, loss=0.5)
    world.run_once()
    world.run_once()

    assert steps(world, running) == [1]
    assert len(rows_of(world, running, "gap")) == 1


def test_a_phase_that_is_a_huge_list_makes_no_huge_sentence(world, running):
    world.write_event(running, "phase", phase=["x" * 100] * 500)
    world.write_event(running, "phase", phase="y" * 10_000)
    world.run_once()

    messages = [row.message for row in rows_of(world, running, "phase")]
    assert messages[0] == "Phase."
    assert len(messages[1]) == MAX_TEXT_LENGTH


def test_a_trainer_cannot_write_a_transition_into_the_history(world, running):
    world.write_event(running, "status", message="Completed.", new_status="completed")
    world.run_once()

    assert [row.message for row in rows_of(world, running, "trainer_status")] == ["Completed."]
    assert "Completed." not in [row.message for row in rows_of(world, running, "status")]


# -- signs of life ------------------------------------------------------------------------------------------------


def test_only_what_a_trainer_said_validly_is_a_sign_of_life(world, running):
    world.engine.print(world.container(running).id, "still here")
    world.workspace.write(running, EVENTS, b"not an event\n" * 5)
    world.run_once()
    assert attempt_of(world, running).last_event_at is None

    world.write_event(running, "progress", step=1)
    world.run_once()
    assert attempt_of(world, running).last_event_at == world.clock.now()


def test_an_attempt_that_goes_on_from_another_has_not_said_anything_yet(world, running):
    world.write_event(running, "progress", step=1)
    world.run_once()
    world.engine.lose(world.container(running).id)
    world.run_once()
    world.run_once(after_seconds=100)

    first, second = world.store.attempts(running)
    assert (first.last_event_at is None, second.last_event_at) == (False, None)
    assert second.events_offset == first.events_offset > 0
    assert (second.events_bytes, second.history_rows) == (0, 0)


# -- logs ---------------------------------------------------------------------------------------------------------


def test_all_that_a_container_printed_is_captured_when_it_has_ended(world, running):
    wanted = [f"line {number} " + "x" * 100 for number in range(60_000)]
    world.engine.print(world.container(running).id, *wanted)
    world.exit(running, 1)
    world.run_once()

    assert log(world, running) == tuple(wanted)


def test_attempts_share_a_log_with_a_mark_between_them(world, running):
    world.engine.print(world.container(running).id, "first")
    world.run_once()
    world.engine.lose(world.container(running).id)
    world.run_once()
    world.run_once(after_seconds=100)
    world.engine.print(world.container(running).id, "second")
    world.run_once(after_seconds=5)
    world.engine.print(world.container(running).id, "third")
    world.run_once(after_seconds=5)

    assert log(world, running) == ("first", "[attempt 2]", "second", "third")


def test_an_ended_job_waits_for_a_log_that_cannot_be_had_but_not_for_ever(world, running):
    world.exit(running, 10)
    world.restarted(EngineWithoutLogs(world.engine))

    assert world.run_once().failed_steps == 1
    assert world.job(running).status is JobStatus.RUNNING
    world.run_once(after_seconds=REST_PATIENCE_SECONDS)

    assert world.job(running).status is JobStatus.FAILED
    assert log(world, running) == (REST_MISSING,)


def test_a_job_whose_log_is_slow_to_read_is_read_less_often(world, running):
    engine = SlowEngine(world.engine)
    world.restarted(engine)
    for _ in range(10):
        world.run_once(after_seconds=2)

    assert engine.reads == 1


def test_what_one_pass_has_no_time_for_is_left_to_the_next(world, running):
    wanted = [f"line {number} " + "x" * 1000 for number in range(12_000)]
    world.engine.print(world.container(running).id, *wanted)
    world.exit(running, 10)
    world.restarted(SlowEngine(world.engine))

    world.run_once()
    assert world.job(running).status is JobStatus.RUNNING
    assert 0 < len(log(world, running)) < len(wanted)
    for _ in range(3):
        world.run_once()

    assert world.job(running).status is JobStatus.FAILED
    assert log(world, running) == tuple(wanted)


# -- the outputs' size --------------------------------------------------------------------------------------------


def test_the_outputs_are_measured_now_and_then(world, running):
    world.run_once(after_seconds=MEASURE_SECONDS)
    world.workspace.write(running, "weights", b"x" * 1000)
    world.run_once(after_seconds=MEASURE_SECONDS / 2)
    assert attempt_of(world, running).outputs_bytes == 0

    world.run_once(after_seconds=MEASURE_SECONDS)
    assert attempt_of(world, running).outputs_bytes == 1000


def test_an_engine_that_is_away_does_not_stop_the_measuring(world, running):
    world.workspace.write(running, "weights", b"x" * 1000)
    world.engine.is_reachable = False
    world.run_once(after_seconds=60)

    assert attempt_of(world, running).outputs_bytes == 1000
