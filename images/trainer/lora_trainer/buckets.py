"""Which shape a picture is trained in: one of a few of about the same pixel area, so that little is cropped away."""

import math
from dataclasses import dataclass
from functools import cache

SIDE_STEP = 64  # every family's latents and patches divide it
MAX_ASPECT = 4  # longer pictures are cropped to this
AREA_TOLERANCE = 0.07


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    width: int  # pixels
    height: int

    def enlarges(self, size: tuple[int, int]) -> bool:
        """Whether a picture of `size` (width, height) has fewer pixels than this shape along either side."""
        return size[0] < self.width or size[1] < self.height


@cache
def buckets(resolution: int) -> tuple[Bucket, ...]:
    """Pairs of sides, multiples of 64, whose area comes next to resolution squared and misses it by 7 % at most."""
    shortest = max(SIDE_STEP, resolution // 2 // SIDE_STEP * SIDE_STEP)
    found = set()
    for short in range(shortest, resolution + 1, SIDE_STEP):
        below = resolution**2 // short // SIDE_STEP * SIDE_STEP
        for long in (below, below + SIDE_STEP):
            if long <= MAX_ASPECT * short and abs(short * long / resolution**2 - 1) <= AREA_TOLERANCE:
                found |= {Bucket(short, long), Bucket(long, short)}
    return tuple(sorted(found))


def bucket_for(size: tuple[int, int], resolution: int) -> Bucket:
    """The shape nearest in aspect ratio to a picture of `size` (width, height); of equally near ones the smallest."""
    wanted = math.log(size[0] / size[1])
    return min(buckets(resolution), key=lambda bucket: (abs(math.log(bucket.width / bucket.height) - wanted), bucket))
