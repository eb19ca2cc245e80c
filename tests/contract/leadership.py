"""What every Leadership does, and what its term does to a store's writes."""

from __future__ import annotations

import pytest

from orchestrator.domain.errors import Deposed
from orchestrator.ports.leadership import Leadership


class LeadershipContract:
    @pytest.fixture
    def first(self) -> Leadership:
        """One process's, on a store that nobody led yet."""
        raise NotImplementedError

    @pytest.fixture
    def second(self) -> Leadership:
        """Another's, on the same store."""
        raise NotImplementedError

    def test_nobody_leads_before_asking(self, first):
        assert (first.number, first.latest()) == (0, None)
        with pytest.raises(Deposed):
            first.confirm()

    def test_one_leads_and_the_other_learns_who(self, first, second):
        assert first.acquire()
        first.confirm()

        assert not second.acquire()
        assert second.number == 0
        leader = second.latest()
        assert leader == first.latest()
        assert leader.number == first.number == 1
        assert "(pid " in leader.holder

    def test_every_change_of_hands_begins_a_later_term(self, first, second):
        first.acquire()
        first.release()
        first.release()

        assert second.acquire()
        assert (first.number, second.number) == (0, 2)
        with pytest.raises(Deposed):
            first.confirm()
        second.release()
        assert first.acquire()
        assert first.number == 3
