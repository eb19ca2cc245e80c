"""Which pictures a step sees: all of one shape, as often as each other, and known from the seed and the step alone."""

from dataclasses import dataclass
from functools import lru_cache

import torch

from lora_trainer.objective import generator


@dataclass(frozen=True, slots=True)
class Order:
    """The endless sequence of steps over pictures that lie in buckets.

    It goes in rounds of as many steps as there are pictures. In a round a bucket has one step for each of its pictures,
    in shuffled order, so after a round every picture was seen exactly `count` times, whatever the buckets' sizes.
    Inside a bucket the pictures are dealt out pass after pass, each pass shuffled anew; a bucket of fewer than `count`
    pictures repeats them within a step.
    """

    seed: int
    purpose: str
    sizes: tuple[int, ...]  # pictures in each bucket
    count: int  # pictures a step

    def at(self, step: int) -> tuple[int, list[int]]:
        """(bucket, places in it) of step 1, 2, ..."""
        finished, place = divmod(step - 1, sum(self.sizes))
        buckets = _round(self.seed, self.purpose, finished, self.sizes)
        bucket = buckets[place]
        visit = finished * self.sizes[bucket] + buckets[:place].count(bucket)
        dealt = range(visit * self.count, (visit + 1) * self.count)
        return bucket, [self._dealt(bucket, position) for position in dealt]

    def _dealt(self, bucket: int, position: int) -> int:
        size = self.sizes[bucket]
        return _shuffled(self.seed, f"{self.purpose}-order", bucket, position // size, size)[position % size]


@lru_cache(maxsize=4)
def _round(seed: int, purpose: str, number: int, sizes: tuple[int, ...]) -> list[int]:
    """The bucket of each step of one round."""
    of_each_picture = [bucket for bucket, size in enumerate(sizes) for _ in range(size)]
    places = _shuffled(seed, f"{purpose}-buckets", 0, number, len(of_each_picture))
    return [of_each_picture[place] for place in places]


@lru_cache(maxsize=256)
def _shuffled(seed: int, purpose: str, bucket: int, number: int, size: int) -> list[int]:
    order: list[int] = torch.randperm(size, generator=generator(seed, purpose, bucket, number)).tolist()
    return order
