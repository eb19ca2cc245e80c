"""In which shape the trainer will train a picture: its rule, told again for those who plan a job.

The trainer (images/trainer/lora_trainer/buckets.py) is another program; a test holds the two against each other.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

_SIDE_STEP = 64
_MAX_ASPECT = 4
_AREA_TOLERANCE = 0.07


class Bucket(NamedTuple):
    width: int  # pixels
    height: int


@cache
def buckets(resolution: int) -> tuple[Bucket, ...]:
    """Shapes of about resolution squared pixels, sides in steps of 64."""
    area = resolution**2
    shortest = max(_SIDE_STEP, resolution // 2 // _SIDE_STEP * _SIDE_STEP)
    shorts = range(shortest, resolution + 1, _SIDE_STEP)
    pairs = {(short, area // short // _SIDE_STEP * _SIDE_STEP + extra) for short in shorts for extra in (0, _SIDE_STEP)}
    fitting = {pair for pair in pairs if _fits(*pair, area=area)}
    return tuple(sorted({Bucket(*pair) for pair in fitting} | {Bucket(*reversed(pair)) for pair in fitting}))


def bucket_for(width: int, height: int, resolution: int) -> Bucket:
    """The shape nearest in aspect ratio; of equally near ones the smallest."""
    wanted = math.log(width / height)
    return min(buckets(resolution), key=lambda bucket: (abs(math.log(bucket.width / bucket.height) - wanted), bucket))


def _fits(short: int, long: int, *, area: int) -> bool:
    return long <= _MAX_ASPECT * short and abs(short * long / area - 1) <= _AREA_TOLERANCE
