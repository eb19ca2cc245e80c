"""From what was received to a dataset's items, under our own names."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.adapters.uploads.intake import Received, ReceivedPicture, stem_of
from orchestrator.adapters.uploads.pictures import Finding
from orchestrator.domain.dataset import CAPTION_SUFFIX, DatasetItem
from orchestrator.domain.errors import Rejected, Violation

PREVIEW_SUFFIX = ".jpg"


@dataclass(frozen=True, slots=True)
class Placed:
    """An item, and the number under which its picture was received."""

    number: int
    item: DatasetItem

    @property
    def preview_name(self) -> str:
        return preview_name(self.item.file_name)


def preview_name(file_name: str) -> str:
    return stem_of(file_name) + PREVIEW_SUFFIX


def arrange(dataset_id: str, received: Received, findings: Sequence[Finding]) -> list[Placed]:
    """Items in order of the client's names, 00001.png onwards. Raises Rejected with everything that is wrong."""
    violations = [*received.violations, *_picture_problems(received, findings), *_lonely_captions(received)]
    if violations:
        raise Rejected(f"The upload has {len(violations)} unusable files.", details=violations)
    if not received.pictures:
        raise Rejected("The upload holds no picture.", details=[Violation("files", "No picture was sent.")])
    pairs = sorted(zip(received.pictures, findings, strict=True), key=lambda pair: pair[0].name)
    return [
        Placed(picture.number, _item(dataset_id, place, picture, finding, received.captions.get(stem_of(picture.name))))
        for place, (picture, finding) in enumerate(pairs, start=1)
    ]


def _item(dataset_id: str, place: int, picture: ReceivedPicture, finding: Finding, caption: str | None) -> DatasetItem:
    return DatasetItem(
        id=str(uuid.uuid4()),
        dataset_id=dataset_id,
        file_name=f"{place:05d}{finding['suffix']}",
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
