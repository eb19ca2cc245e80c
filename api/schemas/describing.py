"""What people say of jobs, as it is sent."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.texts import Name, Notes, Tag
from orchestrator.domain.job import JobChanges


class JobPatch(BaseModel):
    """What changes of what people say of a job; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "my cat", "tags": ["keep"], "notes": "The eyes came out."}},
    )

    name: Name | None = Field(None, description="null takes it away. A registered model keeps the name it has.")
    notes: Notes | None = Field(None, description="Lines of plain text; null takes them away.")
    tags: list[Tag] = Field([], max_length=16, description="Replace those it had; each is kept once.")

    def to_domain(self) -> JobChanges:
        changes = JobChanges()
        if "name" in self.model_fields_set:
            changes["name"] = self.name
        if "notes" in self.model_fields_set:
            changes["notes"] = self.notes
        if "tags" in self.model_fields_set:
            changes["tags"] = tuple(dict.fromkeys(self.tags))
        return changes
