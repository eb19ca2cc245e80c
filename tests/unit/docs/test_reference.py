"""The committed reference is the one that routes and commands make."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.reference import pages
from cli.errors import CheckFailed, LorryApiError, ServerUnreachable
from cli.reference import page

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(("name", "content"), [*pages(), ("cli.md", page())], ids=["openapi.json", "api.md", "cli.md"])
def test_the_committed_reference_is_what_the_code_makes(name: str, content: str) -> None:
    is_fresh = (DOCS / name).read_text(encoding="utf-8") == content
    assert is_fresh, f"docs/{name} is older than the code: run `make openapi` and commit what it writes."


def test_every_kind_of_refusal_is_in_the_clients_page() -> None:
    text = (DOCS / "client.md").read_text(encoding="utf-8")
    kinds = [LorryApiError, *LorryApiError.__subclasses__(), ServerUnreachable, CheckFailed]
    assert not [kind.__name__ for kind in kinds if f"| `{kind.__name__}` |" not in text]
