"""Leadership in memory is held to what the one in a store does."""

from __future__ import annotations

import pytest

from orchestrator.adapters.memory import ManualClock, MemoryLeadership, Seat
from tests.contract.leadership import LeadershipContract


class TestMemoryLeadership(LeadershipContract):
    @pytest.fixture
    def seat(self):
        return Seat()

    @pytest.fixture
    def first(self, seat):
        return MemoryLeadership(seat, ManualClock())

    @pytest.fixture
    def second(self, seat):
        return MemoryLeadership(seat, ManualClock())
