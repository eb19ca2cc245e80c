"""A curve in the terminal, drawn in braille dots: eight to a character."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

Point = tuple[float, float]

_BLANK = 0x2800
# The bit of each dot of a character: four rows of two.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_DOT_ROWS, _DOT_COLUMNS = 4, 2


def plot(points: Sequence[Point], *, width: int, height: int) -> list[str]:
    """The curve through `points` in `height` lines of `width` characters, its bounds beside and below it.

    Points that are not finite are left out; without any others there is nothing to draw and the answer is empty.
    """
    finite = [(x, y) for x, y in points if math.isfinite(y)]
    if not finite:
        return []
    (left, low), (right, high) = (map(extreme, zip(*finite, strict=True)) for extreme in (min, max))
    columns, rows_of_dots = width * _DOT_COLUMNS, height * _DOT_ROWS
    dots = [(_place(x, left, right, columns), rows_of_dots - 1 - _place(y, low, high, rows_of_dots)) for x, y in finite]
    rows = [[_BLANK] * width for _ in range(height)]
    for column, row in _trace(dots):
        rows[row // _DOT_ROWS][column // _DOT_COLUMNS] |= _DOTS[row % _DOT_ROWS][column % _DOT_COLUMNS]
    return _labelled(["".join(map(chr, row)) for row in rows], (left, right), (low, high))


def _place(value: float, low: float, high: float, dots: int) -> int:
    """Which of `dots` dots between `low` and `high` stands for `value`."""
    return round((value - low) / (high - low or 1) * (dots - 1))


def _trace(dots: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Every dot on the straight lines from one to the next."""
    yield dots[0]
    for (x0, y0), (x1, y1) in pairwise(dots):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(1, steps + 1):
            yield round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)


def _labelled(lines: list[str], xs: tuple[float, float], ys: tuple[float, float]) -> list[str]:
    labels = [f"{ys[1]:.4g}", *[""] * (len(lines) - 2), f"{ys[0]:.4g}"][: len(lines)]
    margin = max(map(len, labels))
    drawn = [f"{label:>{margin}} {line}" for label, line in zip(labels, lines, strict=True)]
    width = len(lines[0])
    return [*drawn, f"{'':>{margin}} {xs[0]:<{width // 2}.10g}{xs[1]:>{width - width // 2}.10g}"]
