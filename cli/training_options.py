"""The trainer's options on the command line, described by the domain's own table."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

import typer

from cli.errors import UsageProblem
from orchestrator.domain.training import Option, options


def training_option(name: str, flag: str) -> Any:
    """A typer option for one key of the config; the server knows its default and checks its range."""
    field, option = options()[name]
    return typer.Option(flag, help=f"{option.description} {_bounds(option)}, default {field.default}.")


def config_from(chosen: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The `config` object: the options that were given, then every `--set KEY=VALUE`."""
    config = {key: value for key, value in chosen.items() if value is not None}
    return config | dict(_parse_setting(setting) for setting in settings)


def describe_all() -> str:
    """One line an option, for the end of `lorry submit --help`."""
    return "\n".join(
        f"  {name} ({_bounds(option)}): {option.description} Default {_default(field.default)}."
        for name, (field, option) in options().items()
    )


def _parse_setting(setting: str) -> tuple[str, Any]:
    key, separator, text = setting.partition("=")
    if not separator:
        raise UsageProblem(f"--set {setting}: expected KEY=VALUE, for instance --set noise_offset=0.05.")
    if key not in options():
        near = difflib.get_close_matches(key, options(), n=1)
        hint = f"did you mean {near[0]}?" if near else "`lorry submit --help` lists them all."
        raise UsageProblem(f"--set {setting}: there is no training option {key}; {hint}")
    return key, _parse_value(text)


def _parse_value(text: str) -> Any:
    """JSON where it is JSON (numbers, true, null, lists), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _bounds(option: Option) -> str:
    if option.choices:
        return " or ".join(option.choices)
    if option.maximum is None:
        return f"text of up to {option.max_text_length} characters" if option.max_text_length else "true or false"
    if option.minimum is None:
        return f"JSON list of up to {option.maximum} texts"
    multiple = f", multiple of {option.multiple_of}" if option.multiple_of else ""
    return f"{option.minimum:g} to {option.maximum:.10g}{multiple}"


def _default(value: Any) -> str:
    return json.dumps(value)
