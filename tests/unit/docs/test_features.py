"""What docs/features.md promises is asked for at a route or command that exists, and shown by a test that exists."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROWS = re.findall(
    r"^\| (.+) \| (.+) \| `(.+)` \|$", (ROOT / "docs/features.md").read_text(encoding="utf-8"), re.MULTILINE
)


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("feature", "where", "test"), ROWS, ids=[row[0] for row in ROWS])
def test_a_feature_is_shown_by_a_test(feature: str, where: str, test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), f"{feature}: there is no {path}"
    assert name in names_in(ROOT / path), f"{feature}: {path} has no {name}"


@pytest.mark.parametrize(("feature", "where"), [row[:2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_feature_is_asked_for_where_the_page_says(feature: str, where: str) -> None:
    if where.startswith("["):
        page = re.findall(r"\((.+)\)", where)[0]
        assert (ROOT / "docs" / page).is_file(), feature
    elif where.startswith("`lorry "):
        assert f"\n## {where.strip('`')}" in (ROOT / "docs/cli.md").read_text(encoding="utf-8"), feature
    elif where != "`OPTIONS`":
        method, path = where.strip("`").split()
        document = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
        assert method.lower() in document["paths"].get(path, {}), feature


def test_every_route_is_part_of_a_feature_or_of_its_neighbours() -> None:
    """A whole group of routes that no feature names would be one that nobody showed."""
    document = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
    named = {where.strip("`") for _, where, _ in ROWS}
    shown, all_tags = set(), set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            all_tags.update(operation["tags"])
            if f"{method.upper()} {path}" in named:
                shown.update(operation["tags"])
    assert shown == all_tags
