"""The `config` object of a submission, made from the domain's table: no range or default is written here."""

from __future__ import annotations

import dataclasses
from types import GenericAlias, NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetPydanticSchema, create_model
from pydantic_core import CoreSchema, core_schema

from api.schemas.texts import text
from orchestrator.domain.training import Option, TrainingConfig, options

_CONFIG = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, title="TrainingOptions")


def _model() -> type[BaseModel]:
    hints = get_type_hints(TrainingConfig)
    fields: dict[str, Any] = {
        name: (_annotation(hints[name], option), _field(field, option)) for name, (field, option) in options().items()
    }
    return create_model("TrainingOptions", __config__=_CONFIG, **fields)


def _annotation(hint: Any, option: Option) -> Any:
    if option.choices:
        return Literal[option.choices]
    if get_origin(hint) is tuple:
        return GenericAlias(list, text(option.max_text_length or 0))
    is_nullable = NoneType in get_args(hint)
    kind: Any = get_args(hint)[0] if is_nullable else hint
    bounded: Any = text(option.max_text_length) if option.max_text_length else Annotated[kind, _bounds(option)]
    return bounded | None if is_nullable else bounded


def _bounds(option: Option) -> Any:
    return Field(ge=option.minimum, le=option.maximum, multiple_of=option.multiple_of)


def _field(field: dataclasses.Field[Any], option: Option) -> Any:
    if isinstance(field.default, tuple):
        return Field(list(field.default), description=option.description, max_length=int(option.maximum or 0))
    return Field(field.default, description=option.description)


TrainingOptions = _model()


class SentConfig(NamedTuple):
    """A config with every default filled in, and the options that the client wrote."""

    config: TrainingConfig
    chosen: tuple[str, ...]


def _to_domain(parsed: BaseModel) -> SentConfig:
    chosen = tuple(sorted(parsed.model_fields_set))
    return SentConfig(TrainingConfig.from_params(parsed.model_dump()), chosen)


def _schema(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_after_validator_function(_to_domain, handler.generate_schema(TrainingOptions))


# Validated as TrainingOptions, handed on as the domain's own value.
ConfigField = Annotated[SentConfig, GetPydanticSchema(_schema)]
