"""What every AuditLog does."""

from __future__ import annotations

import pytest

from orchestrator.domain.audit import OPERATOR, AuditAction, AuditEntry
from orchestrator.ports.audit_log import AuditLog
from tests.factories import NOW


def _entry(message):
    return AuditEntry(
        actor=OPERATOR,
        action=AuditAction.CLEANED_UP,
        subject="/data",
        message=message,
        data={"removed": [{"kind": "logs", "count": 2}]},
        at=NOW,
    )


class AuditLogContract:
    @pytest.fixture
    def store(self) -> AuditLog:
        """An empty one."""
        raise NotImplementedError

    def test_entries_come_back_whole_and_newest_first(self, store):
        for message in ("first", "second"):
            store.add(_entry(message))

        page = store.list()

        assert [entry.message for entry in page.entries] == ["second", "first"]
        assert page.total == 2
        entry = page.entries[0]
        assert (entry.actor, entry.action, entry.subject) == (OPERATOR, AuditAction.CLEANED_UP, "/data")
        assert (entry.data, entry.at) == ({"removed": [{"kind": "logs", "count": 2}]}, NOW)

    def test_a_page_holds_its_share_of_all(self, store):
        for number in range(5):
            store.add(_entry(str(number)))

        page = store.list(page=2, page_size=2)

        assert ([entry.message for entry in page.entries], page.total) == (["2", "1"], 5)
