"""The diagnostic job's dataset: rows of numbers in a CSV or JSONL file, the last column to be predicted."""

import csv
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora_trainer.errors import UnusableDataset, summarise
from lora_trainer.files import read_limited

SUFFIXES = (".csv", ".jsonl")
MAX_TABLE_BYTES = 64 * 2**20
MIN_ROWS = 8
MIN_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Table:
    name: str  # of its file
    columns: tuple[str, ...]
    rows: list[list[float]]  # one value a column


def read_table(path: Path) -> Table:
    """`path` is the file, or a folder of which the first one is taken. Raises UnusableDataset, which names lines."""
    file = _find(path)
    try:
        text = read_limited(file, MAX_TABLE_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnusableDataset(f"{file.name} is not UTF-8 text") from exc
    except (OSError, ValueError) as exc:
        raise UnusableDataset(f"{file.name} cannot be read ({exc})") from exc
    columns, lines = _csv_lines(text) if file.suffix == ".csv" else _json_lines(text)
    rows, problems = [], []
    for number, values in lines:
        row = _numbers(values)
        if row is None or len(row) != len(columns):
            problems.append(f"line {number} is not {len(columns)} numbers")
        else:
            rows.append(row)
    if problems:
        raise UnusableDataset(f"{file.name}: {summarise(problems)}")
    if len(rows) < MIN_ROWS or len(columns) < MIN_COLUMNS:
        found = f"{len(rows)} rows of {len(columns)} columns"
        raise UnusableDataset(f"{file.name} has {found}; at least {MIN_ROWS} of {MIN_COLUMNS} are needed")
    return Table(file.name, tuple(columns), rows)


def _find(path: Path) -> Path:
    try:
        files = [path] if path.is_file() else sorted(entry for entry in path.iterdir() if entry.suffix in SUFFIXES)
    except OSError as exc:
        raise UnusableDataset(f"the dataset {path} cannot be read ({exc.strerror})") from exc
    if not files or files[0].suffix not in SUFFIXES:
        raise UnusableDataset(f"the dataset {path} holds no {' or '.join(SUFFIXES)} file")
    return files[0]


def _csv_lines(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(names of the columns, numbered lines of values); a first line that is no numbers is the header."""
    reader = csv.reader(io.StringIO(text))
    lines = [(reader.line_num, values) for values in reader if values]
    if lines and _numbers(lines[0][1]) is None:
        return lines[0][1], lines[1:]
    return [f"x{index}" for index in range(len(lines[0][1]) if lines else 0)], lines


def _json_lines(text: str) -> tuple[list[str], list[tuple[int, list[Any]]]]:
    """The keys of the first line are the columns of all."""
    entries = [(number, _parse(line)) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    columns = list(entries[0][1]) if entries else []
    return columns, [(number, [entry.get(column) for column in columns]) for number, entry in entries]


def _parse(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _numbers(values: list[Any]) -> list[float] | None:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
