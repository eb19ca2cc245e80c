"""Registered models."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.job_actions import CheckpointName
from orchestrator.domain.registered_model import MAX_MODEL_NAME_LENGTH, ModelVersion, RegisteredModel


class ModelVersionOut(BaseModel):
    """One adapter under its name."""

    name: str
    version: int = Field(description="From 1; the number of a deleted version is not given again.")
    job_id: str | None
    step: int | None = Field(
        description="Of the job's checkpoint that it is; null: what the job ended with.", examples=[None]
    )
    artifact_id: str | None = Field(description="The main adapter file.")
    download_url: str | None = Field(description="Path on this server; needs the token.")
    base_model: str
    trigger_words: list[str]
    sha256: str | None
    size_bytes: int | None
    registered_at: datetime | None

    @classmethod
    def from_domain(cls, version: ModelVersion) -> ModelVersionOut:
        return cls(
            name=version.name,
            version=version.version,
            job_id=version.job_id,
            step=version.step,
            artifact_id=version.artifact_id,
            download_url=f"/api/artifacts/{version.artifact_id}/download" if version.artifact_id else None,
            base_model=version.base_model,
            trigger_words=list(version.trigger_words),
            sha256=version.sha256,
            size_bytes=version.size_bytes,
            registered_at=version.registered_at,
        )


class RegisteredModelOut(BaseModel):
    """A name and its newest version."""

    name: str
    version_count: int
    latest: ModelVersionOut

    @classmethod
    def from_domain(cls, model: RegisteredModel) -> RegisteredModelOut:
        return cls(name=model.name, version_count=model.version_count, latest=ModelVersionOut.from_domain(model.latest))


class PromoteBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    checkpoint: CheckpointName = Field(
        description="Its folder's name, or the id of one of its files.", examples=["step-000500"]
    )
    name: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_MODEL_NAME_LENGTH,
        description="What to register it as; null: the name of the version that the job itself has.",
    )


class RenameBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_MODEL_NAME_LENGTH, description="Without slashes and line ends.")
