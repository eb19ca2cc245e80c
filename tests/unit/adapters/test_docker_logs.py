"""Docker's frames as lines, without an engine."""

from __future__ import annotations

import struct
from itertools import repeat

import pytest

from orchestrator.adapters.docker.logs import StreamCut, cut_after, printable, read_bite, since_parameter

AT = "2026-11-21T03:41:34.{:09d}Z"


def frame(text: bytes, *, at: int = 1, stream: int = 1) -> bytes:
    payload = AT.format(at).encode() + b" " + text
    return struct.pack(">BxxxL", stream, len(payload)) + payload


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 10_000])
def test_frames_may_be_cut_anywhere_by_the_transport(chunk_bytes):
    data = frame(b"one\n", at=1) + frame(b"two\n", at=2) + frame(b"three\n", at=3)
    chunks = [data[begin : begin + chunk_bytes] for begin in range(0, len(data), chunk_bytes)]

    assert [(line.at, line.text) for line in read_bite(chunks, 10_000).lines] == [
        (AT.format(1), "one"),
        (AT.format(2), "two"),
        (AT.format(3), "three"),
    ]


def test_a_frame_that_is_cut_off_is_left_for_the_next_read():
    data = frame(b"whole\n") + frame(b"half\n")[:-3]

    assert [line.text for line in read_bite([data], 10_000).lines] == ["whole"]


def test_pieces_of_a_long_line_are_told_from_lines_of_the_other_stream():
    data = frame(b"aaaa") + frame(b"error\n", stream=2) + frame(b"aaaa") + frame(b"aa\n") + frame(b"next\n")

    assert [line.text for line in read_bite([data], 10_000).lines] == ["aaaa [line cut]", "error", "next"]


def test_pieces_that_are_dropped_do_not_use_up_the_bite():
    data = frame(b"a" * 1_000) + frame(b"a" * 1_000) * 50 + frame(b"a\n") + frame(b"next\n")

    assert [line.text[-5:] for line in read_bite([data], 1_100).lines] == [" cut]", "next"]


def test_a_bite_says_whether_it_was_all():
    data = frame(b"one\n") + frame(b"two\n")

    def cut():
        yield data
        raise StreamCut

    assert read_bite([data], 10_000).is_complete
    assert not read_bite([data], 40).is_complete
    assert not read_bite(cut(), 10_000).is_complete
    assert [line.text for line in read_bite(cut(), 10_000).lines] == ["one", "two"]


def test_a_stream_that_never_ends_is_cut_when_its_time_is_over():
    seconds_since = iter(range(100))

    bite = read_bite(cut_after(3, repeat(frame(b"again\n")), clock=lambda: next(seconds_since)), 10**9)

    assert [line.text for line in bite.lines] == ["again"] * 4
    assert not bite.is_complete


def test_the_nine_digits_of_a_timestamp_survive():
    assert since_parameter("2026-11-21T03:41:34.517994435Z") == "1795232494.517994435"
    assert since_parameter("2026-11-21T03:41:34.000000001Z") == "1795232494.000000001"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\n", "plain"),
        ("tab\tstays\n", "tab\tstays"),
        ("nul\0gone\x07\n", "nulgone"),
        ("\x1b[1;31mred\x1b[0m\n", "red"),
        (" 10%\r 20%\r 30%\n", " 30%"),
        ("windows\r\n", "windows"),
        ("گربه‌ی من\n", "گربه‌ی من"),
    ],
)
def test_a_line_is_what_a_terminal_would_leave_of_it(raw, shown):
    assert printable(raw) == shown
