"""docs/models.md tells the keys, suffixes and figures that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.filesystem.catalogue import CATALOGUE_KEYS
from orchestrator.domain.download import BACK_OFF, MAX_FAILURES
from orchestrator.domain.model import MODEL_SUFFIXES, ModelSource

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "models.md").read_text()


@pytest.mark.parametrize("word", [*CATALOGUE_KEYS, *ModelSource, *MODEL_SUFFIXES])
def test_every_word_of_the_catalogue_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT


def test_the_tries_are_the_codes() -> None:
    first, longest = BACK_OFF.first_seconds, BACK_OFF.longest_seconds
    assert f"after {first:.0f} s, doubled up to {longest:.0f} s, and given up after {MAX_FAILURES} tries" in TEXT
