"""Files and functions stay small enough to read. An exception names its reason here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50

# path or path::function -> why it is longer
REASONS: dict[str, str] = {}


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in _sources()}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_FILE_LINES and name not in REASONS} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {name: lines for path in _sources() for name, lines in _functions(path) if lines > MAX_FUNCTION_LINES}
    assert {name: lines for name, lines in long.items() if name not in REASONS} == {}


def test_no_file_is_named_after_nothing() -> None:
    nothing = {"utils", "helpers", "common", "misc", "base", "manager"}
    assert [path for path in _sources() if path.stem in nothing] == []


def _sources() -> Iterator[Path]:
    for folder in ("api", "orchestrator", "cli", "images", "bench"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def _functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}::{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1
