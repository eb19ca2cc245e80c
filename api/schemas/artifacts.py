"""Samples, checkpoints and adapters, and how these are used."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.assets import Asset, readable_size
from orchestrator.domain.artifact import Artifact, ArtifactKind, Sample, checkpoint_of
from orchestrator.domain.usage import Usage


class TrainedAsset(Asset):
    """An adapter (kind `model`) or a checkpoint that training made."""

    kind: Literal["model", "checkpoint"]
    status: Literal["ready"]
    source: Literal["training"]
    job_id: str
    path: str = Field(description="Relative to the job's files; of a checkpoint, its folder tells the step.")
    sha256: str
    download_url: str

    @classmethod
    def from_domain(cls, artifact: Artifact) -> TrainedAsset:
        return cls(
            id=artifact.id,
            name=artifact.path if artifact.kind is ArtifactKind.CHECKPOINT else artifact.name,
            kind="checkpoint" if artifact.kind is ArtifactKind.CHECKPOINT else "model",
            size=readable_size(artifact.size_bytes),
            size_bytes=artifact.size_bytes,
            status="ready",
            source="training",
            downloadedAt=artifact.created_at,
            job_id=artifact.job_id,
            path=artifact.path,
            sha256=artifact.sha256,
            download_url=f"/api/artifacts/{artifact.id}/download",
        )


class WeightsOut(BaseModel):
    """An adapter file that a sample shows."""

    artifact_id: str
    name: str = Field(examples=["my-cat-step-400.safetensors"])
    checkpoint: str | None = Field(
        description="Its name, as `promote` takes it; null: what the job ended with.", examples=["step-000400"]
    )
    is_registered: bool = Field(description="Whether it is a version of a registered model.")
    size_bytes: int
    download_url: str = Field(description="Path on this server; needs the token.")

    @classmethod
    def from_domain(cls, file: Artifact) -> WeightsOut:
        return cls(
            artifact_id=file.id,
            name=file.name,
            checkpoint=checkpoint_of(file),
            is_registered=file.kind is ArtifactKind.ADAPTER,
            size_bytes=file.size_bytes,
            download_url=f"/api/artifacts/{file.id}/download",
        )


class SampleOut(BaseModel):
    """A picture that a job drew."""

    artifact_id: str
    attempt: int
    step: int | None = Field(description="Null where the trainer did not say.")
    prompt: str | None
    seed: int | None
    name: str = Field(examples=["step-000400-0.png"])
    size_bytes: int = Field(examples=[398214])
    image_url: str = Field(description="Path on this server, for an inline picture; needs the token.")
    thumbnail_url: str = Field(
        description="The same of a small copy, 320 pixels a side at most.",
        examples=["/api/artifacts/6a3c1f0e-1b7d-5e52-9c8e-0f3b6d1a2c4e/image?size=small"],
    )
    weights: WeightsOut | None = Field(
        description="What drew it; null: the base model alone, or a checkpoint that was not kept or not collected yet."
    )

    @classmethod
    def from_domain(cls, sample: Sample) -> SampleOut:
        file = sample.artifact
        return cls(
            artifact_id=file.id,
            attempt=file.attempt,
            step=sample.step,
            prompt=sample.prompt,
            seed=sample.seed,
            name=file.name,
            size_bytes=file.size_bytes,
            image_url=f"/api/artifacts/{file.id}/image",
            thumbnail_url=f"/api/artifacts/{file.id}/image?size=small",
            weights=WeightsOut.from_domain(sample.weights) if sample.weights else None,
        )


class UsageOut(BaseModel):
    """Text to copy."""

    prompt: str = Field(description="The words that call up what was trained.", examples=["sks cat"])
    comfyui: str = Field(
        description="Steps, one a line.",
        examples=["1. Put my-cat.safetensors into ComfyUI/models/loras and press R to reload the lists."],
    )
    diffusers: str = Field(
        description="A Python program.", examples=["import torch\nfrom diffusers import AutoPipelineForText2Image"]
    )

    @classmethod
    def from_domain(cls, usage: Usage) -> UsageOut:
        return cls(prompt=usage.prompt, comfyui=usage.comfyui, diffusers=usage.diffusers)
