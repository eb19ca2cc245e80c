"""Items of datasets, and the report on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.assets import DatasetOut
from api.schemas.words import WORDS
from orchestrator.domain.dataset import (
    MAX_CAPTION_LENGTH,
    Approval,
    Dataset,
    DatasetItem,
    Exclusion,
    ItemChanges,
    SentPicture,
    clean_caption,
)
from orchestrator.domain.dataset_report import DatasetReport, Problem

Use = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
Uses = Annotated[list[Use], Field(max_length=16)]
_TWO_ITEMS = [WORDS["item_ids"], "f3a9d0c7-6e1b-4d52-9a8f-2c7b6e5d4f31"]


class DatasetItemOut(BaseModel):
    """One picture."""

    id: str = Field(examples=[WORDS["item_ids"]])
    file_name: str
    original_name: str
    caption: str | None
    approval: Approval
    allowed_uses: list[str]
    prohibited_uses: list[str]
    excluded: Exclusion | None = Field(description="Why jobs do not train on it; null: they do.")
    width: int = Field(description="Pixels, as displayed.")
    height: int
    size_bytes: int = Field(examples=[412873])
    sha256: str
    sharpness: float | None = Field(description="Variance of the Laplacian; low is blurred.")

    @classmethod
    def from_domain(cls, item: DatasetItem) -> DatasetItemOut:
        return cls(
            id=item.id,
            file_name=item.file_name,
            original_name=item.original_name,
            caption=item.caption,
            approval=item.approval,
            allowed_uses=list(item.allowed_uses),
            prohibited_uses=list(item.prohibited_uses),
            excluded=item.exclusion,
            width=item.width,
            height=item.height,
            size_bytes=item.size_bytes,
            sha256=item.sha256,
            sharpness=item.sharpness,
        )


class SentPictureOut(BaseModel):
    """What became of a picture that was sent."""

    name: str = Field(description="The client's.", examples=[WORDS["original_name"]])
    item_id: str
    is_new: bool = Field(description="False: the dataset held the same bytes already, and that is the item.")

    @classmethod
    def from_domain(cls, sent: SentPicture) -> SentPictureOut:
        return cls(name=sent.name, item_id=sent.item.id, is_new=sent.is_new)


class AdditionOut(BaseModel):
    """The dataset as it is now, and the pictures that were sent, in order of their names."""

    dataset: DatasetOut
    pictures: list[SentPictureOut]

    @classmethod
    def from_domain(cls, dataset: Dataset, sent: Sequence[SentPicture]) -> AdditionOut:
        pictures = [SentPictureOut.from_domain(each) for each in sent]
        return cls(dataset=DatasetOut.from_domain(dataset), pictures=pictures)


class ItemQuery(BaseModel):
    """Which items, and the page of their list."""

    model_config = ConfigDict(extra="forbid")

    problem: Problem | None = Field(None, description="Only those that the report finds it in.")
    resolution: int = Field(512, ge=256, le=1024, multiple_of=64, description="The report's.")
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=200)


class ItemBody(BaseModel):
    """What to change of an item; what is left out, or null where the caption is not meant, stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"caption": "a cat on a red sofa", "approval": "labeled"}},
    )

    caption: str | None = Field(None, max_length=MAX_CAPTION_LENGTH, description="One line; null takes it away.")
    approval: Approval | None = Field(None, description="Only `labeled` items are trained on.")
    allowed_uses: Uses | None = Field(None, description="Only items with `training` among them are trained on.")
    prohibited_uses: Uses | None = Field(None, description="Beats `allowed_uses`.")

    def to_domain(self) -> ItemChanges:
        changes = ItemChanges()
        if "caption" in self.model_fields_set:
            changes["caption"] = clean_caption(self.caption or "")
        if self.approval is not None:
            changes["approval"] = self.approval
        if self.allowed_uses is not None:
            changes["allowed_uses"] = tuple(dict.fromkeys(self.allowed_uses))
        if self.prohibited_uses is not None:
            changes["prohibited_uses"] = tuple(dict.fromkeys(self.prohibited_uses))
        return changes


class BucketOut(BaseModel):
    """A shape that pictures are trained in."""

    width: int
    height: int
    count: int = Field(description="Items that are trained in it.")


class FindingOut(BaseModel):
    problem: Problem = Field(examples=["blurred"])
    message: str = Field(examples=["2 items have no sharp edge anywhere: blurred, or blank."])
    item_ids: list[str] = Field(examples=[_TWO_ITEMS])
    surplus_ids: list[str] = Field(
        examples=[_TWO_ITEMS],
        description="Those that may be rejected to be rid of it: all but the largest of near duplicates. Empty where "
        "captions are the cure, or nothing would be left.",
    )


class AdviceOut(BaseModel):
    advice: str = Field(examples=["Train for about 1000 steps."])
    reason: str = Field(examples=["22 items at one item a step are then seen 45 times each."])


class ReportOut(BaseModel):
    """What is wrong with a dataset, and what to do about it."""

    resolution: int
    item_count: int
    trainable_count: int = Field(description="Items that a job may train on; everything below is about them.")
    excluded_items: dict[str, int] = Field(description="The others, by reason.")
    buckets: list[BucketOut] = Field(description="The fullest first.")
    findings: list[FindingOut]
    advice: list[AdviceOut]
    recommended_steps: int | None
    repeats: float | None = Field(description="How often each item is then seen, at one item a step.")

    @classmethod
    def from_domain(cls, report: DatasetReport) -> ReportOut:
        return cls(
            resolution=report.resolution,
            item_count=report.item_count,
            trainable_count=report.trainable_count,
            excluded_items={str(reason): count for reason, count in report.excluded_items.items()},
            buckets=[BucketOut(width=b.width, height=b.height, count=count) for b, count in report.buckets.items()],
            findings=[
                FindingOut(
                    problem=found.problem,
                    message=found.message,
                    item_ids=list(found.item_ids),
                    surplus_ids=list(found.surplus_ids),
                )
                for found in report.findings
            ],
            advice=[AdviceOut(advice=each.advice, reason=each.reason) for each in report.advice],
            recommended_steps=report.recommended_steps,
            repeats=report.repeats,
        )
