"""The command line's reference, docs/cli.md, made from the commands themselves. `make openapi` writes it too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cli.errors import ExitCode
from cli.main import app

_INTRODUCTION = """# Command line

Made from the commands by `make openapi`; not written by hand. `lorry COMMAND --help` says the same.

`lorry login` asks for a token, tries it and keeps it with the server's address in `~/.config/lorry/config.toml`, which
only you can read; `lorry logout` forgets it. `LORRY_URL` (or `--url`) and `LORRY_TOKEN` win over it. A kept token goes
to the server it was tried at and to no other. `lorry --install-completion` makes the Tab key complete commands.

Results go to stdout, everything else to stderr. With `--json` stdout holds one JSON document and nothing else."""

_EXITS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "the job failed or was cancelled, or a check failed",
    ExitCode.USAGE: "the command line, a local file or the token is wrong",
    ExitCode.REFUSED: "the server refused; stderr has its words",
    ExitCode.UNREACHABLE: "no server answered",
    ExitCode.INTERRUPTED: "Ctrl-C; a job that was being watched goes on",
}
# Every command that asks the server has these; the introduction tells of them.
_TOLD = ("--url", "--json")


def page() -> str:
    exits = [f"| {code.value} | {_EXITS[code]} |" for code in ExitCode]
    return "\n".join([_INTRODUCTION, "", "| exit code | when |", "|---|---|", *exits, *_commands()]) + "\n"


def _commands() -> Iterator[str]:
    for name, command in _leaves("lorry", typer.main.get_command(app)):
        arguments = [_metavar(each) for each in command.params if each.param_type_name == "argument"]
        yield from ("", f"## {' '.join([name, *arguments])}", "", _text(command.help))
        rows = [_row(each) for each in command.params if each.opts[0] not in _TOLD]
        if rows:
            yield from ("", "| | |", "|---|---|", *rows)


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands that do something, in the order in which `--help` lists them."""
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
    else:
        for word, each in below.items():
            yield from _leaves(f"{name} {word}", each)


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"| `{_metavar(parameter)}` | {_text(parameter.help)} |"
    value = "" if parameter.is_flag else f" {_metavar(parameter)}"
    must = " (required)" if parameter.required else ""
    return f"| `{', '.join(parameter.opts)}{value}`{must} | {_text(parameter.help)} |"


def _metavar(parameter: Any) -> str:
    word = parameter.metavar or parameter.opts[0].strip("-").replace("-", "_").upper()
    is_free = parameter.param_type_name == "argument" and not parameter.required
    return f"[{word}]" if is_free else str(word)


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    (Path(sys.argv[1]) / "cli.md").write_text(page(), encoding="utf-8")
