"""What every Workspace does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.diagnostic import DiagnosticTable
from orchestrator.ports.workspace import EventsBite, LogPart, Workspace

JOB = "7f9c1d7e-0000-4000-8000-000000000001"
LIMIT = 1024

WriteEvents = Callable[[bytes], None]


class WorkspaceContract:
    @pytest.fixture
    def workspace(self) -> Workspace:
        """One whose log may hold 200 bytes."""
        raise NotImplementedError

    @pytest.fixture
    def write_events(self) -> WriteEvents:
        """`write_events(data)`: the container of JOB appends to its event file."""
        raise NotImplementedError

    @pytest.fixture
    def spoil_events(self) -> Callable[[], None]:
        """Puts something that is no regular file in the event file's place."""
        raise NotImplementedError

    @pytest.fixture
    def fill_cache(self) -> Callable[[str, int], None]:
        """`fill_cache(user_id, size)`: a container of that user keeps so many bytes more."""
        raise NotImplementedError

    @pytest.fixture
    def cache_bytes(self) -> Callable[[str], int]:
        """What is in the files of a user's cache."""
        raise NotImplementedError

    def test_preparing_again_gives_the_same_paths_and_keeps_the_outputs(self, workspace, write_events):
        first = workspace.prepare(JOB, {"v": 1})
        write_events(b"{}\n")

        assert workspace.prepare(JOB, {"v": 1}) == first
        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == (b"{}\n",)

    def test_before_the_first_event_there_is_nothing_new(self, workspace):
        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == ()
        workspace.prepare(JOB, {"v": 1})
        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == ()

    def test_a_line_is_read_only_when_it_is_whole(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b'{"a": 1}\n{"b"')

        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == (b'{"a": 1}\n',)
        write_events(b": 2}\n")
        assert workspace.read_events(JOB, offset=9, limit_bytes=LIMIT).lines == (b'{"b": 2}\n',)

    def test_only_a_line_feed_ends_a_line(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b"a\rb\x0bc\x85d\n")

        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == (b"a\rb\x0bc\x85d\n",)

    def test_reading_in_bites_loses_and_doubles_nothing(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        wanted = [b"%d\n" % number for number in range(500)]
        write_events(b"".join(wanted))

        read: list[bytes] = []
        while lines := workspace.read_events(JOB, offset=sum(map(len, read)), limit_bytes=64).lines:
            assert sum(map(len, lines)) <= 64
            read += lines

        assert read == wanted

    def test_a_line_longer_than_a_bite_comes_in_pieces(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b"x" * 25 + b"\nnext\n")

        read: list[bytes] = []
        while lines := workspace.read_events(JOB, offset=sum(map(len, read)), limit_bytes=10).lines:
            read += lines

        assert read == [b"x" * 10, b"x" * 10, b"xxxxx\n", b"next\n"]

    def test_what_is_no_regular_file_is_not_read(self, workspace, spoil_events):
        workspace.prepare(JOB, {"v": 1})
        spoil_events()

        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT) == EventsBite((), 0)

    def test_a_last_line_without_an_end_comes_when_nobody_writes_any_more(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b"whole\nhalf")

        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT, is_final=True).lines == (b"whole\n", b"half")
        assert workspace.read_events(JOB, offset=10, limit_bytes=LIMIT, is_final=True).lines == ()

    def test_the_files_size_tells_one_that_was_cut_from_one_without_news(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b"{}\n")

        assert workspace.read_events(JOB, offset=3, limit_bytes=LIMIT) == EventsBite((), 3)
        assert workspace.read_events(JOB, offset=300, limit_bytes=LIMIT) == EventsBite((), 3)

    def test_the_rows_of_a_diagnostic_job_are_a_file_until_the_job_is_removed(self, workspace):
        assert workspace.prepare(JOB, {"v": 1}).table is None

        paths = workspace.prepare(JOB, {"v": 1}, DiagnosticTable("rows.csv", "x,y\n1,2\n"))

        assert paths.table.endswith("rows.csv")
        assert paths.table != paths.config
        workspace.remove(JOB)
        workspace.remove(JOB)

    def test_the_log_gives_its_last_lines(self, workspace):
        workspace.prepare(JOB, {"v": 1})
        size_bytes = workspace.append_log(JOB, ["one", "گربه"], at_bytes=0)
        size_bytes = workspace.append_log(JOB, [], at_bytes=size_bytes)
        workspace.append_log(JOB, ["three"], at_bytes=size_bytes)

        assert workspace.read_log(JOB, tail=2) == ("گربه", "three")
        assert workspace.read_log(JOB, tail=100) == ("one", "گربه", "three")

    def test_a_part_of_the_log_says_which_lines_it_has_and_of_how_many(self, workspace):
        workspace.prepare(JOB, {"v": 1})
        workspace.append_log(JOB, ["one", "two", "گربه", "four"], at_bytes=0)

        assert workspace.log_part(JOB, after=None, limit=3) == LogPart(("two", "گربه", "four"), 2, 4)
        assert workspace.log_part(JOB, after=None, limit=9) == LogPart(("one", "two", "گربه", "four"), 1, 4)
        assert workspace.log_part(JOB, after=0, limit=2) == LogPart(("one", "two"), 1, 4)
        assert workspace.log_part(JOB, after=2, limit=9) == LogPart(("گربه", "four"), 3, 4)
        assert workspace.log_part(JOB, after=9, limit=9) == LogPart((), 5, 4)

    def test_a_job_without_a_log_has_no_lines(self, workspace):
        assert workspace.read_log(JOB, tail=10) == ()
        assert workspace.log_part(JOB, after=None, limit=10) == LogPart((), 1, 0)

    def test_the_log_is_read_on_from_where_a_reader_is(self, workspace):
        workspace.prepare(JOB, {})
        end = workspace.append_log(JOB, ["one", "گربه", "three"], at_bytes=0)
        read, offset = b"", 4
        while lines := workspace.log_lines(JOB, offset=offset, limit_bytes=12):
            assert sum(map(len, lines)) <= 12
            read, offset = read + b"".join(lines), offset + sum(map(len, lines))

        assert read.decode() == "گربه\nthree\n"
        assert offset == end

    def test_a_log_line_longer_than_a_reader_takes_comes_in_pieces(self, workspace):
        workspace.prepare(JOB, {})
        workspace.append_log(JOB, ["x" * 25], at_bytes=0)

        pieces = [workspace.log_lines(JOB, offset=offset, limit_bytes=10) for offset in (0, 10, 20)]

        assert pieces == [(b"x" * 10,), (b"x" * 10,), (b"x" * 5 + b"\n",)]

    def test_there_is_nothing_to_read_on_in_no_log(self, workspace):
        assert workspace.log_lines(JOB, offset=0, limit_bytes=10) == ()

    def test_lines_whose_place_was_never_stored_are_cut_off_the_log(self, workspace):
        workspace.prepare(JOB, {"v": 1})
        size_bytes = workspace.append_log(JOB, ["one"], at_bytes=0)
        workspace.append_log(JOB, ["two", "three"], at_bytes=size_bytes)

        workspace.append_log(JOB, ["two"], at_bytes=size_bytes)

        assert workspace.read_log(JOB, tail=10) == ("one", "two")

    def test_a_log_that_somebody_removed_begins_anew(self, workspace):
        workspace.prepare(JOB, {"v": 1})

        assert workspace.append_log(JOB, ["next"], at_bytes=100) == 5
        assert workspace.read_log(JOB, tail=10) == ("next",)

    def test_a_full_log_says_so_once_and_takes_no_more(self, workspace):
        workspace.prepare(JOB, {"v": 1})
        size_bytes = 0
        for number in range(100):
            size_bytes = workspace.append_log(JOB, [f"line {number}"], at_bytes=size_bytes)

        lines = workspace.read_log(JOB, tail=1_000)
        assert lines[:2] == ("line 0", "line 1")
        assert sum("size limit" in line for line in lines) == 1
        assert "size limit" in lines[-1]
        assert sum(len(line) + 1 for line in lines[:-1]) == workspace.log_limit_bytes
        assert size_bytes > workspace.log_limit_bytes

    @pytest.mark.parametrize("length", [198, 199, 200, 10_000])
    def test_a_line_that_does_not_fit_is_cut_where_the_log_ends(self, workspace, length):
        workspace.prepare(JOB, {"v": 1})
        size_bytes = workspace.append_log(JOB, ["x" * length, "y"], at_bytes=0)

        lines = workspace.read_log(JOB, tail=10)
        assert lines[0] == "x" * min(length, 199)
        assert "size limit" in lines[-1]
        assert workspace.append_log(JOB, ["z"], at_bytes=size_bytes) == size_bytes
        assert workspace.read_log(JOB, tail=10) == lines

    def test_a_mark_that_was_never_stored_is_written_once_all_the_same(self, workspace):
        workspace.prepare(JOB, {"v": 1})
        workspace.append_log(JOB, ["x" * 300], at_bytes=0)

        workspace.append_log(JOB, ["x" * 300], at_bytes=0)

        assert sum("size limit" in line for line in workspace.read_log(JOB, tail=10)) == 1

    def test_outputs_are_as_large_as_what_is_in_them(self, workspace, write_events):
        assert workspace.outputs_bytes(JOB) == 0
        workspace.prepare(JOB, {"v": 1})
        assert workspace.outputs_bytes(JOB) == 0
        write_events(b"x" * 1024**2)

        assert 1024**2 <= workspace.outputs_bytes(JOB) < 1.1 * 1024**2

    def test_checkpoints_are_put_back_where_there_are_none_and_never_over_others(self, workspace, tmp_path):
        copies = {name: tmp_path / name for name in ("state.safetensors", "manifest.json")}
        for name, copy in copies.items():
            copy.write_bytes(name.encode())
        files = {f"checkpoints/step-000100/{name}": str(copy) for name, copy in copies.items()}
        workspace.prepare(JOB, {"v": 1})

        assert workspace.restore_checkpoints(JOB, files)
        assert workspace.outputs_bytes(JOB) > 0
        assert not workspace.restore_checkpoints(JOB, files)

    def test_a_cache_is_one_user_s_own_and_kept_for_the_next_job(self, workspace, fill_cache, cache_bytes):
        users = ("ann", "../ann", "گربه")
        folders = [workspace.prepare_cache(user, limit_bytes=1024**2) for user in users]
        fill_cache("ann", 1000)

        again = [workspace.prepare_cache(user, limit_bytes=1024**2) for user in users]

        assert again == folders
        assert len(set(folders)) == 3
        assert [cache_bytes(user) for user in users] == [1000, 0, 0]

    def test_a_cache_that_has_grown_too_large_is_emptied(self, workspace, fill_cache, cache_bytes):
        folder = workspace.prepare_cache("ann", limit_bytes=100_000)
        fill_cache("ann", 50_000)
        fill_cache("ann", 60_000)

        assert workspace.prepare_cache("ann", limit_bytes=100_000) == folder
        assert cache_bytes("ann") == 0

    def test_removing_leaves_nothing_and_may_be_repeated(self, workspace, write_events):
        workspace.prepare(JOB, {"v": 1})
        write_events(b"{}\n")
        workspace.append_log(JOB, ["one"], at_bytes=0)

        workspace.remove(JOB)
        workspace.remove(JOB)

        assert workspace.read_events(JOB, offset=0, limit_bytes=LIMIT).lines == ()
        assert workspace.read_log(JOB, tail=10) == ()
