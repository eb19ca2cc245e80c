"""Tokens and readiness."""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta

import pytest

from orchestrator.adapters.memory import ManualClock, MemoryDisk
from orchestrator.adapters.sql import SqlFigureStore, SqlRecordStore, SqlTokenStore, connect
from orchestrator.domain.errors import Unauthenticated
from orchestrator.domain.identity import Identity
from orchestrator.ports.record_store import EngineStatus
from orchestrator.services.identity import LorryTokens
from orchestrator.services.readiness import Readiness
from tests.factories import NOW


@pytest.fixture
def clock():
    return ManualClock()


class TestTokens:
    @pytest.fixture
    def tokens(self, database, clock):
        return LorryTokens(store=SqlTokenStore(database), clock=clock)

    def test_a_token_names_its_holder(self, tokens):
        assert tokens.verify(tokens.issue("alice")) == Identity("alice")
        assert tokens.verify(tokens.issue("root", is_admin=True)) == Identity("root", is_admin=True)

    def test_tokens_are_long_marked_and_never_twice_the_same(self, tokens):
        issued = {tokens.issue("alice") for _ in range(10)}

        assert len(issued) == 10
        assert all(token.startswith("lorry_") and len(token) == 49 for token in issued)

    def test_the_token_itself_is_not_stored(self, tokens, tmp_path):
        token = tokens.issue("alice")

        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())

        assert b"alice" in stored
        assert token.removeprefix("lorry_").encode() not in stored

    @pytest.mark.parametrize("token", ["", "lorry_", "lorry_" + "a" * 43, "Bearer x", "\udcff", "lorry_\udcff"])
    def test_an_unknown_token_is_refused_without_being_repeated(self, tokens, token):
        with pytest.raises(Unauthenticated) as refused:
            tokens.verify(token)
        assert refused.value.code == "TOKEN_INVALID"
        assert not token or token not in refused.value.message

    def test_a_token_ends_when_its_time_is_over(self, tokens, clock):
        token = tokens.issue("alice", ttl=timedelta(seconds=10))
        clock.advance(9)
        assert tokens.verify(token).user_id == "alice"

        clock.advance(1)
        with pytest.raises(Unauthenticated) as refused:
            tokens.verify(token)
        assert refused.value.code == "TOKEN_EXPIRED"


class TestReadiness:
    @pytest.fixture
    def records(self, database):
        return SqlRecordStore(database)

    @pytest.fixture
    def disk(self):
        return MemoryDisk()

    @pytest.fixture
    def findings(self, database, records, disk, clock):
        """The checks' answers by name, or their sentences."""

        def check(*, store=None, min_free_bytes=0, sentences=False):
            readiness = Readiness(
                store=store or SqlFigureStore(database),
                records=records,
                disk=disk,
                clock=clock,
                min_free_bytes=min_free_bytes,
            )
            return {check.name: check.message if sentences else check.is_ok for check in readiness.checks()}

        return check

    def test_everything_is_well(self, findings, records):
        records.save_engine_status(EngineStatus(last_pass_at=NOW, is_image_present=True))

        assert findings() == dict.fromkeys(("store", "orchestrator", "engine", "image", "disk"), True)

    def test_an_engine_without_an_answer_is_named_and_nothing_is_said_of_its_images(self, findings, records):
        records.save_engine_status(EngineStatus(last_pass_at=NOW, unreachable_since=NOW, problem="it is silent"))

        assert findings() == {"store": True, "orchestrator": True, "engine": False, "image": True, "disk": True}
        assert findings(sentences=True)["image"] == "Unknown while the engine is silent."

    def test_an_image_that_is_missing_is_named(self, findings, records):
        records.save_engine_status(EngineStatus(last_pass_at=NOW, problem="the training image is not here"))

        assert findings() == {"store": True, "orchestrator": True, "engine": True, "image": False, "disk": True}

    def test_whatever_else_keeps_jobs_from_starting_is_said_in_the_orchestrators_words(self, findings, records):
        status = EngineStatus(last_pass_at=NOW, is_image_present=True, problem="only 0.1 GiB are free there")
        records.save_engine_status(status)

        assert findings()["launches"] is False
        assert findings(sentences=True)["launches"] == "No job is started: only 0.1 GiB are free there."

    def test_an_orchestrator_that_was_silent_for_a_minute_is_not_at_work(self, findings, records, clock):
        assert findings()["orchestrator"] is False
        records.save_engine_status(EngineStatus(last_pass_at=NOW, is_image_present=True))
        clock.advance(60)
        assert findings()["orchestrator"] is True
        clock.advance(1)
        assert findings() == {"store": True, "orchestrator": False, "disk": True}
        assert findings(sentences=True)["orchestrator"].startswith("No orchestrator has made a pass for 61 seconds.")

    def test_a_store_that_does_not_answer_is_named(self, findings, tmp_path):
        nowhere = SqlFigureStore(connect(f"sqlite:///{tmp_path / 'nowhere' / 'lorry.db'}"))

        assert findings(store=nowhere) == {"store": False, "disk": True}

    def test_a_store_that_is_locked_takes_no_jobs_and_says_so_soon(self, findings, records, tmp_path):
        records.save_engine_status(EngineStatus(last_pass_at=NOW, is_image_present=True))
        holder = sqlite3.connect(tmp_path / "lorry.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        began = time.monotonic()

        assert findings() == {"store": False, "disk": True}
        assert time.monotonic() - began < 5, "a write waits longer"
        holder.execute("ROLLBACK")
        holder.close()
        assert findings()["store"] is True

    def test_a_disk_that_is_too_full_is_named(self, findings, disk):
        disk.free = 1024**3

        assert findings(min_free_bytes=1024**3)["disk"] is True
        assert findings(min_free_bytes=2 * 1024**3)["disk"] is False
