"""The API's committed reference is the one its routes make."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.reference import pages

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(("name", "content"), list(pages()), ids=["openapi.json", "api.md"])
def test_the_committed_reference_is_what_the_routes_make(name: str, content: str) -> None:
    is_fresh = (DOCS / name).read_text(encoding="utf-8") == content
    assert is_fresh, f"The routes have changed and docs/{name} has not: run `make openapi` and commit what it writes."
