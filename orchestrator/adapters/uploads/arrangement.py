"""From what was received to a dataset's items, under our own names."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.adapters.uploads.intake import Received, ReceivedPicture, stem_of
from orchestrator.adapters.uploads.pictures import Finding
from orchestrator.domain.dataset import CAPTION_SUFFIX, DatasetItem, SentPicture, UploadLimits, captioned_count
from orchestrator.domain.errors import Rejected, TooLarge, Violation

PREVIEW_SUFFIX = ".jpg"


@dataclass(frozen=True, slots=True)
class Placed:
    """An item, and the number under which its picture was received."""

    number: int
    item: DatasetItem

    @property
    def preview_name(self) -> str:
        return preview_name(self.item.file_name)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is to be kept, and what is said of every picture that came."""

    kept: list[Placed]
    sent: list[SentPicture]


Arrange = Callable[[Received, Sequence[Finding]], Arrangement]


def preview_name(file_name: str) -> str:
    return stem_of(file_name) + PREVIEW_SUFFIX


def arrange(dataset_id: str, received: Received, findings: Sequence[Finding]) -> Arrangement:
    """Items in order of the client's names, 00001.png onwards. Raises Rejected with everything that is wrong."""
    arrangement = Arrangement([], [])
    for place, (picture, finding) in enumerate(_sound(received, findings), start=1):
        caption = received.captions.get(stem_of(picture.name))
        item = _item(dataset_id, f"{place:05d}", picture, finding, caption)
        arrangement.kept.append(Placed(picture.number, item))
        arrangement.sent.append(SentPicture(picture.name, item, is_new=True))
    return arrangement


def arrange_beside(
    present: Sequence[DatasetItem],
    limits: UploadLimits,
    dataset_id: str,
    received: Received,
    findings: Sequence[Finding],
) -> Arrangement:
    """New items behind those that are present. Raises Rejected, and TooLarge when they would be too many together."""
    arrangement = Arrangement([], [])
    known = {item.sha256: item for item in present}
    for picture, finding in _sound(received, findings):
        item = known.get(picture.sha256)
        is_new = item is None
        if item is None:
            # Two uploads at once count from the same place: what is random keeps them from each other's files.
            stem = f"{len(present) + len(arrangement.kept) + 1:05d}-{uuid.uuid4().hex[:8]}"
            item = _item(dataset_id, stem, picture, finding, received.captions.get(stem_of(picture.name)))
            known[item.sha256] = item
            arrangement.kept.append(Placed(picture.number, item))
        arrangement.sent.append(SentPicture(picture.name, item, is_new))
    _require_within(limits, [*present, *(placed.item for placed in arrangement.kept)])
    return arrangement


def _require_within(limits: UploadLimits, items: Sequence[DatasetItem]) -> None:
    if len(items) + captioned_count(items) > limits.max_files:
        raise TooLarge(f"A dataset may have at most {limits.max_files} files.")
    if sum(item.size_bytes for item in items) > limits.max_bytes:
        raise TooLarge(f"A dataset may have at most {limits.max_bytes} bytes, unpacked.")


def _sound(received: Received, findings: Sequence[Finding]) -> list[tuple[ReceivedPicture, Finding]]:
    """Pictures in order of the client's names. Raises Rejected."""
    violations = [*received.violations, *_picture_problems(received, findings), *_lonely_captions(received)]
    if violations:
        raise Rejected(f"The upload has {len(violations)} unusable files.", details=violations)
    if not received.pictures:
        raise Rejected("The upload holds no picture.", details=[Violation("files", "No picture was sent.")])
    return sorted(zip(received.pictures, findings, strict=True), key=lambda pair: pair[0].name)


def _item(dataset_id: str, stem: str, picture: ReceivedPicture, finding: Finding, caption: str | None) -> DatasetItem:
    return DatasetItem(
        id=str(uuid.uuid4()),
        dataset_id=dataset_id,
        file_name=f"{stem}{finding['suffix']}",
        original_name=picture.name,
        caption=caption,
        width=finding["width"],
        height=finding["height"],
        size_bytes=picture.size_bytes,
        sha256=picture.sha256,
        sharpness=finding["sharpness"],
        dhash=finding["dhash"],
    )


def _picture_problems(received: Received, findings: Sequence[Finding]) -> list[Violation]:
    return [
        Violation(picture.name, f"The picture {finding['problem']}.")
        for picture, finding in zip(received.pictures, findings, strict=True)
        if "problem" in finding
    ]


def _lonely_captions(received: Received) -> list[Violation]:
    stems = {stem_of(picture.name) for picture in received.pictures}
    return [
        Violation(stem + CAPTION_SUFFIX, "The caption belongs to no picture: none has the same name.")
        for stem in received.captions
        if stem not in stems
    ]
