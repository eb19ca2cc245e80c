"""What is new about jobs: everything once, in order, from any cursor that was given out."""

from __future__ import annotations

import pytest

from orchestrator.adapters.sql import SqlNewsStore
from orchestrator.domain.errors import NotFound
from orchestrator.domain.events import JobEvent, Metric
from orchestrator.domain.streaming import Cursor, End, LogLines, Standing, UserCursor
from orchestrator.services import streams as service
from orchestrator.services.streams import Streams
from tests.unit.services.world import ADMIN, ALICE, BOB


@pytest.fixture
def streams(world, database):
    return Streams(
        jobs=world.store,
        records=world.records,
        news=SqlNewsStore(database),
        workspace=world.workspace,
        clock=world.clock,
    )


def _train(world, job_id, steps):
    for step in steps:
        world.write_event(job_id, "progress", step=step, total_steps=100, progress=float(step))
        world.write_event(job_id, "metrics", step=step, loss=1 / step)
    world.run_once()


def _print(world, job_id, *lines):
    world.engine.print(world.container(job_id).id, *lines)
    world.run_once(after_seconds=3)


def _whole_story(world):
    """A job that was submitted, trained, printed, was tried again and completed."""
    job_id = world.submit()
    world.run_once()
    world.write_event(job_id, "phase", phase="train")
    _train(world, job_id, range(1, 6))
    _print(world, job_id, "one", "گربه")
    world.write_event(job_id, "sample", step=5, path="samples/5.png")
    world.complete(job_id)
    world.run_once()
    return job_id


def _read(streams, job_id, after):
    """All pieces behind a cursor, each with the cursor behind it."""
    told = []
    while True:
        news = streams.news(job_id, after)
        told += news.told
        after = news.cursor
        if news.is_all:
            return told


def _history(told):
    """Everything told but where the job stood, which is a state and no history."""
    return [each.piece for each in told if not isinstance(each.piece, Standing)]


def test_a_whole_job_is_told_from_its_submission_to_its_end(world, streams):
    job_id = _whole_story(world)

    told = _read(streams, job_id, Cursor())
    pieces = [each.piece for each in told]

    assert [piece for piece in pieces if isinstance(piece, JobEvent)] == world.records.events(job_id)
    assert [piece for piece in pieces if isinstance(piece, Metric)] == world.records.curve(job_id).points
    lines = [line for piece in pieces if isinstance(piece, LogLines) for line in piece.lines]
    assert lines == list(world.workspace.read_log(job_id, tail=100))
    assert isinstance(pieces[-1], End)
    assert pieces[-1].status == "completed"
    assert sum(isinstance(piece, End) for piece in pieces) == 1


def test_from_every_cursor_the_rest_is_told_and_nothing_twice(world, streams):
    job_id = _whole_story(world)
    told = _read(streams, job_id, Cursor())

    for place, each in enumerate(told):
        rest = _read(streams, job_id, Cursor.parse(str(each.cursor)))
        assert _history(told[: place + 1]) + _history(rest) == _history(told)


def test_nothing_is_told_while_nothing_happens(world, streams):
    job_id = world.submit()
    world.run_once()
    cursor = streams.news(job_id, Cursor()).cursor

    assert streams.news(job_id, cursor).told == ()


def test_progress_is_told_when_it_changed(world, streams):
    job_id = world.submit()
    world.run_once()
    cursor = streams.news(job_id, Cursor()).cursor
    world.write_event(job_id, "progress", step=3, total_steps=100, progress=3.0)
    world.run_once()

    (standing,) = [each.piece for each in streams.news(job_id, cursor).told if isinstance(each.piece, Standing)]

    assert (standing.progress.current_step, standing.status, standing.attempt) == (3, "running", 1)


def test_long_stories_come_in_bounded_answers(world, streams, monkeypatch):
    for name in ("EVENTS_LIMIT", "METRICS_LIMIT", "LOG_LIMIT_BYTES"):
        monkeypatch.setattr(service, name, 8)
    job_id = _whole_story(world)

    first = streams.news(job_id, Cursor())

    assert not first.is_all
    assert len(first.told) <= 17
    assert not any(isinstance(each.piece, Standing | End) for each in first.told)
    told = _read(streams, job_id, Cursor())
    assert sum(isinstance(each.piece, Metric) for each in told) == 5
    assert isinstance(told[-1].piece, End)


def test_what_is_in_the_log_but_was_never_stored_is_not_told(world, streams):
    job_id = world.submit()
    world.run_once()
    _print(world, job_id, "one")
    stored = world.store.attempts(job_id)[-1].log_bytes
    world.workspace.append_log(job_id, ["a crash will cut this off again"], at_bytes=stored)

    told = _read(streams, job_id, Cursor())

    assert [piece.lines for piece in _history(told) if isinstance(piece, LogLines)] == [("one",)]


def test_a_log_that_retention_took_away_holds_nobody_up(world, streams):
    job_id = _whole_story(world)
    world.workspace.remove(job_id)

    told = _read(streams, job_id, Cursor())

    assert not any(isinstance(each.piece, LogLines) for each in told)
    assert isinstance(told[-1].piece, End)


def test_a_failed_job_that_is_tried_again_has_a_second_end(world, streams):
    job_id = world.submit()
    world.run_once()
    world.exit(job_id, 11)
    world.run_once()
    first = _read(streams, job_id, Cursor())
    assert streams.has_told_all(job_id, first[-1].cursor)

    world.jobs.retry(ALICE, job_id, resume_from=None)
    assert not streams.has_told_all(job_id, first[-1].cursor)
    world.run_once()
    world.complete(job_id)
    world.run_once()

    second = _read(streams, job_id, first[-1].cursor)
    assert [each.piece.status for each in first + second if isinstance(each.piece, End)] == ["failed", "completed"]


def test_now_leaves_out_what_was_but_not_how_it_stands_nor_that_it_ended(world, streams):
    job_id = _whole_story(world)

    told = _read(streams, job_id, streams.now(job_id))

    assert [type(each.piece) for each in told] == [Standing, End]


def test_a_job_is_shown_to_its_owner_and_to_administrators(world, streams):
    job_id = world.submit()

    streams.require(ALICE, job_id)
    streams.require(ADMIN, job_id)
    with pytest.raises(NotFound):
        streams.require(BOB, job_id)


def test_a_new_watcher_of_all_jobs_begins_with_how_the_open_ones_stand(world, streams):
    _whole_story(world)
    settled = streams.newest_event()
    job_id = world.submit()
    world.run_once()
    world.submit(BOB)

    places = streams.places_now("alice", settled)

    assert places.keys() == {job_id}
    assert [type(each.piece) for each in _read(streams, job_id, places[job_id])] == [Standing]


def test_who_comes_back_is_told_of_every_job_that_went_on_meanwhile(world, streams):
    long_over = _whole_story(world)
    going = world.submit()
    world.run_once()
    _train(world, going, range(1, 4))
    cursor = UserCursor(settled=streams.newest_event(), jobs={going: _read(streams, going, Cursor())[-1].cursor})
    _train(world, going, range(4, 6))
    begun_and_ended = _whole_story(world)

    places = streams.places("alice", UserCursor.parse(str(cursor)))

    assert places.keys() == {going, begun_and_ended}
    assert long_over not in places
    steps = [piece.step for piece in _history(_read(streams, going, places[going])) if isinstance(piece, Metric)]
    assert steps == [4, 5]
    assert _history(_read(streams, begun_and_ended, places[begun_and_ended])) == _history(
        _read(streams, begun_and_ended, Cursor())
    )


def test_of_a_job_that_was_over_and_is_tried_again_only_the_new_attempt_is_told(world, streams):
    job_id = world.submit()
    world.run_once()
    _train(world, job_id, range(1, 4))
    _print(world, job_id, "first")
    world.exit(job_id, 11)
    world.run_once()
    over = UserCursor(settled=streams.newest_event())
    world.jobs.retry(ALICE, job_id, resume_from=None)
    world.run_once()
    _train(world, job_id, range(2, 4))
    _print(world, job_id, "second")

    pieces = _history(_read(streams, job_id, streams.places("alice", over)[job_id]))

    assert [(piece.attempt, piece.step) for piece in pieces if isinstance(piece, Metric)] == [(2, 2), (2, 3)]
    lines = [line for piece in pieces if isinstance(piece, LogLines) for line in piece.lines]
    assert "second" in lines
    assert "first" not in lines
    assert all(piece.id > over.settled for piece in pieces if isinstance(piece, JobEvent))


def test_a_cursor_that_names_anothers_job_does_not_show_it(world, streams):
    theirs = world.submit(BOB)

    assert streams.places("alice", UserCursor(settled=2**53, jobs={theirs: Cursor()})) == {}


def test_a_token_without_an_end_leaves_all_the_time(world, streams):
    assert streams.seconds_left(ALICE) == float("inf")
