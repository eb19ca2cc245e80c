"""Reading configs/models.yaml: every mistake in it is named before anything starts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError, model_validator

from orchestrator.domain.errors import Rejected
from orchestrator.domain.model import CatalogueEntry, ModelSource

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.]*(-[A-Za-z0-9_.]+)*"
_Part = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class _Entry(BaseModel):
    """One model as it is written down. Its folder's name must lead back to it, so no id has `--` in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=f"^{_NAME}/{_NAME}$", max_length=200)
    family: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    source: ModelSource
    revision: str = Field(min_length=1, max_length=200)
    licence: str = Field(min_length=1)
    description: str = ""
    size: ByteSize | None = None
    memory: ByteSize | None = None
    adapter: ByteSize | None = None
    text_adapter: ByteSize | None = None
    gated: bool = False
    parts: tuple[_Part, ...] = ()

    @model_validator(mode="after")
    def _keep_to_the_source(self) -> Self:
        if self.source is not ModelSource.HUGGINGFACE and (self.gated or self.parts):
            raise ValueError("gated and parts are for models with source huggingface")
        return self

    def to_domain(self) -> CatalogueEntry:
        return CatalogueEntry(
            id=self.id,
            family=self.family,
            source=self.source,
            revision=self.revision,
            licence=self.licence,
            description=self.description,
            size_bytes=self.size,
            memory_bytes=self.memory,
            adapter_bytes=self.adapter,
            text_adapter_bytes=self.text_adapter,
            is_gated=self.gated,
            parts=self.parts,
        )


CATALOGUE_KEYS = tuple(_Entry.model_fields)


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[_Entry, ...]

    @model_validator(mode="after")
    def _name_each_once(self) -> Self:
        twice = [name for name, count in Counter(entry.id for entry in self.models).items() if count > 1]
        if twice:
            raise ValueError(f"listed more than once: {', '.join(twice)}")
        return self


def read_catalogue(path: Path) -> tuple[CatalogueEntry, ...]:
    """Raises Rejected (CATALOGUE_REFUSED): an installation with a broken catalogue does not start."""
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(path, [f"it cannot be read: {error.strerror}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refused(path, [f"it is not YAML: {error}"]) from error
    try:
        return tuple(entry.to_domain() for entry in _Catalogue.model_validate(listed).models)
    except ValidationError as error:
        raise _refused(path, [_sentence(one["loc"], one["msg"], listed) for one in error.errors()]) from error


def _sentence(location: tuple[int | str, ...], message: str, listed: object) -> str:
    """`models.3.size: ...`, with the model's id where it has one: nobody counts lines of a list."""
    match location, listed:
        case ("models", int(place), *_), {"models": list(models)} if isinstance(models[place], dict):
            name = models[place].get("id")
            return f"{'.'.join(map(str, location))} ({name}): {message}" if name else f"models.{place}: {message}"
        case _:
            return f"{'.'.join(map(str, location)) or 'the file'}: {message}"


def _refused(path: Path, problems: list[str]) -> Rejected:
    listed = "\n".join(f"  {problem}" for problem in problems)
    return Rejected(f"The model catalogue {path} is not usable:\n{listed}", code="CATALOGUE_REFUSED")
