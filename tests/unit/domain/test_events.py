"""What a trainer wrote is hostile: parsing never raises, and nothing it says can spoil a store or a reader."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from orchestrator.domain.events import (
    MAX_LINE_BYTES,
    MAX_STEP,
    MAX_TEXT_LENGTH,
    TrainerEvent,
    history_in,
    metrics_in,
    parse_line,
    progress_after,
    status_event,
)
from orchestrator.domain.identity import Actor
from orchestrator.domain.job import Progress
from orchestrator.domain.lifecycle import EndReason, JobStatus
from tests.factories import NOW, make_job

HUGE = 10**400
NOT_NUMBERS = ["1", None, True, [], {}, 1e308, -1e308, HUGE]


def _line(**fields):
    return json.dumps({"v": 1, "type": "sample", "at": "2026-01-01T00:00:00Z", **fields}).encode() + b"\n"


def _metrics(step=1, loss=0.5, **fields):
    return TrainerEvent("metrics", {"step": step, "loss": loss, **fields})


def _rows(*events):
    return metrics_in(events, job_id="job", attempt=1, at=NOW)


def _history(*events):
    return history_in(events, job_id="job", attempt=2, at=NOW)


def test_a_line_keeps_everything_but_its_envelope():
    assert parse_line(_line(step=3, surprise={"a": [1]})) == TrainerEvent("sample", {"step": 3, "surprise": {"a": [1]}})


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"not json\n",
        b'{"v":1,"type":"samp',
        b"\xff\xfe\n",
        b"null",
        b"3",
        b'"text"',
        b"[]",
        b"{}",
        b'{"v":1}',
        b'{"v":2,"type":"a"}',
        b'{"v":1,"type":7}',
        b'{"v":1,"type":"a","x":NaN}',
        b'{"v":1,"type":"a","x":"' + b"x" * MAX_LINE_BYTES + b'"}',
        b'{"v":1,"type":"a","x":[-Infinity]}',
        b'{"v":1,"type":"a","x":1e999}',
        b'{"v":1,"type":"a","x":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_not_an_event_is_passed_over(line):
    assert parse_line(line) is None


@pytest.mark.parametrize("depth", [50, 200, 400, 800, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_a_deeply_nested_line_is_passed_over(depth, opening, closing):
    line = b'{"v":1,"type":"a","x":' + opening * depth + b"1" + closing * depth + b"}"

    assert parse_line(line) is None


def test_texts_are_bounded_and_writable_everywhere():
    event = parse_line(_line(message="\x00a\ud800" + "b" * 5000, **{"k\x00": ["\x00"]}))

    assert event is not None
    assert event.fields["message"] == "a?" + "b" * (MAX_TEXT_LENGTH - 2)
    assert event.fields["k"] == [""]


def test_a_types_length_is_bounded():
    event = parse_line(_line(type="t" * 1000))

    assert event is not None
    assert event.type == "t" * 64


def test_progress_takes_over_what_was_reported():
    reported = TrainerEvent(
        "progress",
        {
            "step": 5,
            "total_steps": 10,
            "epoch": 1,
            "total_epochs": 2,
            "progress": 50,
            "eta_seconds": 9,
            "train_count": 8,
            "val_count": 2,
        },
    )

    after = progress_after(Progress(), [TrainerEvent("phase", {"phase": "train"}), reported, _metrics(5, 0.25)])

    assert after == Progress(
        progress=50.0,
        phase="train",
        current_step=5,
        total_steps=10,
        current_epoch=1,
        total_epochs=2,
        eta_seconds=9.0,
        train_count=8,
        val_count=2,
        metrics={"step": 5, "loss": 0.25},
    )


@pytest.mark.parametrize("value", [*NOT_NUMBERS, -1, 2**53])
def test_a_count_of_a_wrong_kind_is_left_as_it_was(value):
    before = Progress(current_step=5)

    assert progress_after(before, [TrainerEvent("progress", {"step": value})]) == before


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_a_number_of_a_wrong_kind_is_left_as_it_was(value):
    before = Progress(progress=5.0)

    assert progress_after(before, [TrainerEvent("progress", {"progress": value, "eta_seconds": value})]) == before
    assert progress_after(before, [_metrics(loss=value)]) == before


@pytest.mark.parametrize(("percent", "shown"), [(-1, 0.0), (101, 100.0), (33.3, 33.3)])
def test_percent_stays_between_0_and_100(percent, shown):
    assert progress_after(Progress(), [TrainerEvent("progress", {"progress": percent})]).progress == shown


def test_an_eta_is_never_negative_and_goes_when_it_is_no_longer_known():
    assert progress_after(Progress(), [TrainerEvent("progress", {"eta_seconds": -5})]).eta_seconds == 0.0
    assert progress_after(Progress(eta_seconds=5.0), [TrainerEvent("progress", {})]).eta_seconds is None


@pytest.mark.parametrize("phase", ["dance", None, 7, [], {}])
def test_an_unknown_phase_changes_nothing(phase):
    assert progress_after(Progress(phase="load"), [TrainerEvent("phase", {"phase": phase})]).phase == "load"


def test_unknown_events_move_no_progress():
    assert progress_after(Progress(), [TrainerEvent("party", {"step": 1, "progress": 99})]) == Progress()


def test_a_metrics_row_has_what_was_measured():
    (row,) = _rows(_metrics(7, 0.5, epoch=2, val_loss=0.6, learning_rate=1e-4, throughput=3, gpu_memory_bytes=100))

    assert (row.step, row.epoch, row.loss, row.val_loss) == (7, 2, 0.5, 0.6)
    assert (row.learning_rate, row.throughput, row.gpu_utilization, row.gpu_memory_bytes) == (1e-4, 3.0, None, 100)


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_without_a_proper_step_and_loss_there_is_no_row(value):
    assert _rows(_metrics(loss=value)) == []
    assert _rows(_metrics(step=value)) == []


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_a_measure_of_a_wrong_kind_is_no_measure(value):
    (row,) = _rows(_metrics(epoch=value, val_loss=value, learning_rate=value, throughput=value, gpu_memory_bytes=value))

    assert (row.epoch, row.val_loss, row.learning_rate, row.throughput, row.gpu_memory_bytes) == (0, *[None] * 4)


def test_a_step_reported_twice_counts_once_with_the_first_value():
    rows = _rows(_metrics(1, 0.5), _metrics(2, 0.4), _metrics(1, 0.3))

    assert [(row.step, row.loss) for row in rows] == [(1, 0.5), (2, 0.4)]


def test_steps_that_no_training_has_are_passed_over():
    assert [row.step for row in _rows(_metrics(MAX_STEP), _metrics(MAX_STEP + 1))] == [MAX_STEP]


def test_history_leaves_out_what_has_a_table_of_its_own():
    rows = _history(TrainerEvent("progress", {}), _metrics(), TrainerEvent("error", {"code": "X", "message": "No."}))

    assert [(row.type, row.message, row.attempt, row.at) for row in rows] == [("error", "No.", 2, NOW)]
    assert rows[0].data == {"code": "X", "message": "No."}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (TrainerEvent("phase", {"phase": "train"}), "Phase train began."),
        (TrainerEvent("sample", {"step": 5}), "Sample at step 5."),
        (TrainerEvent("result", {"message": 7}), "Result."),
    ],
)
def test_history_says_a_sentence_for_every_event(event, message):
    assert _history(event)[0].message == message


def test_a_transition_is_a_row_with_both_states_and_the_reason_of_an_end():
    queued = make_job()
    ended = queued.ended(EndReason.CANCEL_REQUESTED, at=NOW + timedelta(seconds=5))

    row = status_event(queued, ended, "Cancelled.")

    assert (row.type, row.old_status, row.new_status) == ("status", JobStatus.QUEUED, JobStatus.CANCELLED)
    assert (row.data, row.at) == (
        {"actor": "orchestrator", "end_reason": "cancel_requested"},
        ended.updated_at,
    )
    submitted = status_event(None, queued, "Submitted.", actor=Actor.USER)
    assert (submitted.old_status, submitted.data) == (None, {"actor": "user"})
