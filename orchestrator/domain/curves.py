"""A long series of measurements made short enough to draw, without losing what a reader looks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.domain.events import Metric

# The most points that are handed out; also the most validated ones that are all kept.
MOST_POINTS = 100_000
FEWEST_POINTS = 10
_EXTREMES = 2  # of each stretch: its lowest and its highest loss


@dataclass(frozen=True, slots=True)
class Curve:
    """What a reader is shown of a series."""

    points: Sequence[Metric]  # in order of attempt and step
    measured_count: int  # how many there are in all


class Point(NamedTuple):
    """What thinning needs to know of a measurement."""

    attempt: int
    step: int
    loss: float
    is_validated: bool  # carries a validation loss


def thinned(points: Iterable[Point], *, count: int, validated: int, wanted: int) -> Iterator[Point]:
    """About `wanted` of `count` points, in their order, read one at a time.

    Kept are the first and the last point, the lowest and the highest loss of each of equally long stretches between
    them, and every validated point: there are few of those, and each took the trainer a while. So there are at most
    `wanted` points, or four more than the validated ones where these alone are nearly as many. `points` may have
    grown since they were counted.
    """
    if count <= wanted:
        yield from points
        return
    are_pinned = validated <= MOST_POINTS
    room = wanted - (validated if are_pinned else 0) - 2
    stretches = max(1, room // _EXTREMES)
    stretch: _Stretch | None = None
    for place, point in enumerate(points):
        begins = place in (0, 1, count - 1) or place * stretches // count > (place - 1) * stretches // count
        if stretch is None or begins:
            yield from stretch.kept() if stretch is not None else ()
            stretch = _Stretch(are_pinned=are_pinned)
        stretch.add(place, point)
    yield from stretch.kept() if stretch is not None else ()


class _Stretch:
    """What is worth keeping of some neighbouring points."""

    def __init__(self, *, are_pinned: bool) -> None:
        self._are_pinned = are_pinned
        self._pinned: dict[int, Point] = {}
        self._lowest: tuple[int, Point] | None = None
        self._highest: tuple[int, Point] | None = None

    def add(self, place: int, point: Point) -> None:
        if self._lowest is None or point.loss < self._lowest[1].loss:
            self._lowest = place, point
        if self._highest is None or point.loss > self._highest[1].loss:
            self._highest = place, point
        if self._are_pinned and point.is_validated:
            self._pinned[place] = point

    def kept(self) -> Iterator[Point]:
        extremes = dict(extreme for extreme in (self._lowest, self._highest) if extreme is not None)
        for _, point in sorted((extremes | self._pinned).items()):
            yield point
