"""How values look on a terminal. Names and log lines come from strangers, so control characters never pass."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_CONTROL_CODES = (*range(0x09), *range(0x0A, 0x20), *range(0x7F, 0xA0))  # all but the tab
_CONTROL_CHARACTERS = dict.fromkeys(_CONTROL_CODES, "\N{REPLACEMENT CHARACTER}")
_KILO = 1000
_PIPE_WIDTH = 10_000  # columns; enough for no cell to be folded
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB")


def printable(text: str) -> str:
    """`text` without what a terminal would obey: escape sequences lose their first character."""
    return text.translate(_CONTROL_CHARACTERS)


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % 60:02} s" if minutes else f"{whole} s"


def size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return "-"
    value = float(size_bytes)
    for unit in _SIZE_UNITS:
        if value < _KILO or unit == _SIZE_UNITS[-1]:
            break
        value /= _KILO
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def number(value: Any, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if isinstance(value, int | float) else "-"


def instant(text: str | None) -> str:
    """An instant of the API's, to the second, in UTC like all of them."""
    return (text or "")[:19].replace("T", " ")


def print_json(value: Any) -> None:
    """One JSON document on stdout, with letters of every script as they are."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """A table, or the sentence `empty`. No cell is cut: they fold on a terminal; elsewhere a line has any length."""
    cells = [[Text(printable(cell)) for cell in row] for row in rows]
    if not cells:
        print(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, no_wrap=position == 0)
    for row in cells:
        table.add_row(*row)
    is_terminal = sys.stdout.isatty()
    Console(width=None if is_terminal else _PIPE_WIDTH).print(table)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One line a fact, for each that is known."""
    known = [(name, printable(value)) for name, value in facts if value]
    margin = max(len(name) for name, _ in known)
    sys.stdout.writelines(f"{name:<{margin}}  {value}\n" for name, value in known)
