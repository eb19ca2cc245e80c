"""One line is one JSON object, whatever is in it, and no secret is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from orchestrator.json_log import configure_json_log
from tests.unit.services.world import ALICE, World

TOKEN = "lorry_" + "a1B2-_" * 7
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWhlcmU"
PERSIAN = "گربه\u200cها و é"  # noqa: RUF001 - the letters are meant
BOM, TURN_AROUND, LINE_SEPARATOR, NEXT_LINE, HALF_A_PAIR = "\ufeff", "\u202e", "\u2028", "\x85", "\ud83d"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process's log says."""
    handlers, level = logging.root.handlers[:], logging.root.level
    stderr = io.StringIO()
    with redirect_stderr(stderr):
        configure_json_log("INFO")
    yield stderr
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x1b", "\x00", "\x0b", "\x7f", NEXT_LINE, LINE_SEPARATOR, TURN_AROUND, BOM, HALF_A_PAIR]
)
def test_no_character_ends_a_line_or_steers_a_terminal(written: io.StringIO, character: str) -> None:
    said = f'before{character}{{"message": "forged"}}'
    structlog.get_logger("a").info(said, value=said, **{f"key{character}": 1})
    logging.getLogger("b").warning("a library: %s", said)

    assert character not in written.getvalue().replace("\n", "" if character == "\n" else "\n")
    first, second = lines(written)
    assert (first["message"], first["value"], second["message"]) == (said, said, f"a library: {said}")


def test_words_of_any_script_stay_as_they_are(written: io.StringIO) -> None:
    structlog.get_logger().info(PERSIAN)

    assert PERSIAN in written.getvalue()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"verify({JWT!r}) failed", JWT),
        ("cannot connect to postgresql://lorry:s3cret@db/lorry", "s3cret"),
        ("key sb_secret_abcdefgh12345678 refused", "sb_secret_abcdefgh12345678"),
    ],
)
def test_no_secret_is_written_wherever_it_comes_from(written: io.StringIO, text: str, secret: str) -> None:
    structlog.get_logger().info(text, detail={"nested": [text]})
    structlog.get_logger().error("failed", exc_info=ValueError(text))
    logging.getLogger("library").error("failed too", exc_info=ValueError(text))

    assert secret not in written.getvalue()
    assert written.getvalue().count("[secret]") >= 4
    assert len(lines(written)) == 3


def test_what_is_bound_around_a_step_is_in_every_line_and_gone_afterwards(written: io.StringIO) -> None:
    with bound_contextvars(job_id="j", attempt=2):
        structlog.get_logger().info("inside")
        logging.getLogger("library").warning("inside too")
    structlog.get_logger().info("outside")

    inside, library, outside = lines(written)
    assert [(line["job_id"], line["attempt"]) for line in (inside, library)] == [("j", 2)] * 2
    assert "job_id" not in outside


def test_every_line_of_a_jobs_step_names_the_job_and_the_attempt(written: io.StringIO, world: World) -> None:
    job_id = world.submit(ALICE)
    world.run_once()
    world.complete(job_id)
    world.run_once()

    told = {line["message"]: (line["job_id"], line["attempt"]) for line in lines(written) if "job_id" in line}
    assert told["job running"] == told["attempt ended"] == (job_id, 1)
