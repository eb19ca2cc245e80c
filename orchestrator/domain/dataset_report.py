"""What is wrong with the items that a job would train on, told from facts that were measured at upload."""

from __future__ import annotations

import itertools
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.buckets import Bucket, bucket_for
from orchestrator.domain.dataset import DatasetItem, Exclusion, select_for_training

# A sharp photograph measures hundreds, one blurred over two pixels (of 512 a side) less than 8.
BLURRED_BELOW = 15.0
# Of 64 bits. Copies saved anew, resized or brightened differ in 0 to 3, different views of one scene in 14 and more.
NEAR_DUPLICATE_BITS = 5
LONG_CAPTION = 400  # characters; text encoders read about 77 tokens of it
FEW_ITEMS, ENOUGH_ITEMS = 10, 20
MAX_SHAPE_SHARE = 0.5
STEPS_PER_ITEM, MIN_STEPS, MAX_STEPS = 100, 500, 4_000
_HASH_BITS = 64


class Problem(StrEnum):
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    NEAR_DUPLICATE = "near_duplicate"
    NO_CAPTION = "no_caption"
    LONG_CAPTION = "long_caption"
    ODD_CAPTION = "odd_caption"
    SAME_CAPTION = "same_caption"


@dataclass(frozen=True, slots=True)
class Finding:
    """Items that share a problem; each group of near duplicates is a finding of its own.

    Without `surplus_ids` the problem is gone; there are none where that would leave nothing, or words are the cure.
    """

    problem: Problem
    message: str
    item_ids: tuple[str, ...]
    surplus_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    advice: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetReport:
    """`item_count` counts all items; everything else is about the ones that may be trained on."""

    resolution: int
    item_count: int
    trainable_count: int
    excluded_items: Mapping[Exclusion, int]
    buckets: Mapping[Bucket, int]  # items by the shape they are trained in, the fullest first
    findings: tuple[Finding, ...]
    advice: tuple[Advice, ...]
    recommended_steps: int | None
    repeats: float | None  # how often each item is seen in that many steps, one item a step


def report_on(items: Sequence[DatasetItem], *, resolution: int) -> DatasetReport:
    """About training at `resolution`, whose square is the area of a picture in pixels."""
    selection = select_for_training(items)
    chosen = selection.items
    buckets = Counter(bucket_for(item.width, item.height, resolution) for item in chosen)
    findings = tuple(_findings(chosen, resolution))
    steps = recommended_steps(len(chosen)) if chosen else None
    return DatasetReport(
        resolution=resolution,
        item_count=len(items),
        trainable_count=len(chosen),
        excluded_items=selection.excluded,
        buckets=dict(buckets.most_common()),
        findings=findings,
        advice=tuple(_advice(chosen, findings, buckets)),
        recommended_steps=steps,
        repeats=round(steps / len(chosen), 1) if steps else None,
    )


def recommended_steps(item_count: int) -> int:
    return min(max(item_count * STEPS_PER_ITEM, MIN_STEPS), MAX_STEPS)


def near_duplicates(items: Sequence[DatasetItem]) -> list[tuple[DatasetItem, ...]]:
    """Groups of items that look alike, each at least two, in file order.

    Hashes that differ in d bits agree in at least one of d + 1 bands of bits, so only those with a band in common are
    compared.
    """
    by_hash: dict[int, list[DatasetItem]] = defaultdict(list)
    for item in items:
        if item.dhash is not None:
            by_hash[int(item.dhash, 16)].append(item)
    leader = {value: value for value in by_hash}
    for one, other in _candidates(by_hash):
        if (one ^ other).bit_count() <= NEAR_DUPLICATE_BITS:
            leader[_leader_of(leader, one)] = _leader_of(leader, other)
    groups: dict[int, list[DatasetItem]] = defaultdict(list)
    for value, alike in by_hash.items():
        groups[_leader_of(leader, value)] += alike
    found = [tuple(sorted(group, key=lambda item: item.file_name)) for group in groups.values() if len(group) > 1]
    return sorted(found, key=lambda group: group[0].file_name)


def _candidates(hashes: Iterable[int]) -> Iterator[tuple[int, int]]:
    width = _HASH_BITS // (NEAR_DUPLICATE_BITS + 1)
    bands: dict[tuple[int, int], list[int]] = defaultdict(list)
    for value in hashes:
        for band in range(NEAR_DUPLICATE_BITS + 1):
            bands[band, value >> band * width & (1 << width) - 1].append(value)
    for alike in bands.values():
        yield from itertools.combinations(alike, 2)


def _leader_of(leader: dict[int, int], value: int) -> int:
    while leader[value] != value:
        leader[value] = leader[leader[value]]
        value = leader[value]
    return value


def _findings(items: Sequence[DatasetItem], resolution: int) -> Iterator[Finding]:
    small = [item for item in items if _is_enlarged(item, resolution)]
    yield from _found(
        Problem.TOO_SMALL,
        small,
        f"is smaller than resolution {resolution} asks for and is enlarged",
        f"are smaller than resolution {resolution} asks for and are enlarged",
        surplus=small if len(small) < len(items) else (),
    )
    blurred = [item for item in items if item.sharpness is not None and item.sharpness < BLURRED_BELOW]
    yield from _found(
        Problem.BLURRED,
        blurred,
        "has no sharp edge anywhere: blurred, or blank",
        "have no sharp edge anywhere: blurred, or blank",
        surplus=blurred if len(blurred) < len(items) else (),
    )
    for group in near_duplicates(items):
        best = max(group, key=lambda item: item.width * item.height)
        others = [item for item in group if item is not best]
        alike = "look the same and count more than once"
        yield from _found(Problem.NEAR_DUPLICATE, group, alike, alike, surplus=others)
    yield from _caption_findings(items)


def _caption_findings(items: Sequence[DatasetItem]) -> Iterator[Finding]:
    captions = {item.id: item.caption for item in items}
    bare = [item for item in items if item.caption is None]
    yield from _found(Problem.NO_CAPTION, bare, "has no caption", "have no caption")
    long = [item for item in items if len(item.caption or "") > LONG_CAPTION]
    length = f"more than {LONG_CAPTION} characters"
    yield from _found(Problem.LONG_CAPTION, long, f"has a caption of {length}", f"have captions of {length}")
    odd = [item for item in items if _is_odd(item.caption or "")]
    oddity = "characters that cannot be shown, or no word at all"
    yield from _found(Problem.ODD_CAPTION, odd, f"has a caption with {oddity}", f"have captions with {oddity}")
    if len(items) > 1 and len(set(captions.values())) == 1 and items[0].caption is not None:
        alike = "all have the same caption"
        yield from _found(Problem.SAME_CAPTION, items, alike, alike)


def _found(
    problem: Problem, items: Sequence[DatasetItem], one: str, many: str, *, surplus: Sequence[DatasetItem] = ()
) -> Iterator[Finding]:
    """`one` and `many`: what is said of a single item, and of more."""
    if items:
        ids, surplus_ids = tuple(item.id for item in items), tuple(item.id for item in surplus)
        message = f"1 item {one}." if len(items) == 1 else f"{len(items)} items {many}."
        yield Finding(problem, message, ids, surplus_ids)


def _is_enlarged(item: DatasetItem, resolution: int) -> bool:
    bucket = bucket_for(item.width, item.height, resolution)
    return item.width < bucket.width or item.height < bucket.height


def _is_odd(caption: str) -> bool:
    """Replacement, private and unassigned characters come from a wrong encoding; the joiners of Persian are fine."""
    unshown = any(letter == "\ufffd" or unicodedata.category(letter) in ("Cc", "Co", "Cn", "Cs") for letter in caption)
    return bool(caption) and (unshown or not any(letter.isalnum() for letter in caption))


def _advice(items: Sequence[DatasetItem], findings: Sequence[Finding], buckets: Counter[Bucket]) -> Iterator[Advice]:
    count = len(items)
    if not items:
        yield Advice("Approve items and allow them for training.", "No item may be trained on.")
        return
    if count < FEW_ITEMS:
        yield Advice(f"Add pictures: {ENOUGH_ITEMS} or more.", f"From {count} an adapter learns them by heart.")
    steps = recommended_steps(count)
    yield Advice(
        f"Train for about {steps} steps.",
        f"At one item a step each is then seen {steps / count:.0f} times; fewer steps with larger batches.",
    )
    shares = {problem: sum(len(f.item_ids) for f in findings if f.problem is problem) / count for problem in Problem}
    for problem, (advice, reason) in _REMEDIES.items():
        if shares[problem]:
            yield Advice(advice, reason)
    lonely = sum(1 for in_bucket in buckets.values() if in_bucket == 1)
    if count >= FEW_ITEMS and lonely / count > MAX_SHAPE_SHARE:
        yield Advice("Crop the pictures to a few shapes.", f"{lonely} of {count} are the only one of their shape.")


_REMEDIES = {
    Problem.TOO_SMALL: ("Train at a lower resolution, or take larger originals.", "Enlarged pictures teach blur."),
    Problem.BLURRED: ("Leave blurred pictures out.", "An adapter learns blur like any other feature."),
    Problem.NEAR_DUPLICATE: ("Keep one of each group that looks the same.", "The others only make it weigh more."),
    Problem.NO_CAPTION: ("Write captions, or use trigger words.", "What no caption names becomes part of the subject."),
    Problem.LONG_CAPTION: ("Shorten long captions.", "Text encoders read about 77 tokens and drop the rest."),
    Problem.ODD_CAPTION: ("Rewrite odd captions as UTF-8 text.", "They look like text in a wrong encoding."),
    Problem.SAME_CAPTION: (
        "Say in each caption what is different.",
        "Equal captions tell the pictures apart by nothing.",
    ),
}
