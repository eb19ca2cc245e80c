"""`lorry`: puts the commands together and turns every expected failure into sentences and an exit code."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.commands import (
    admin,
    cleanup,
    datasets,
    demo,
    download,
    experiments,
    job,
    jobs,
    login,
    logs,
    models,
    promote,
    records,
    server,
    stats,
    submit,
    upkeep,
    webhooks,
)
from cli.errors import CliError, ExitCode
from orchestrator.domain.errors import LorryError

_EPILOG = """\b
Server and token are those of `lorry login`, kept in ~/.config/lorry/config.toml (mode 600); --url or LORRY_URL
and LORRY_TOKEN win over them. Tab completion: `lorry --install-completion`.

\b
Exit codes: 0 done; 1 the job failed or was cancelled, or a check failed; 2 wrong usage;
3 the server refused; 4 no server answered; 130 interrupted (a watched job goes on).
"""

app = typer.Typer(
    name="lorry",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(version("lorry"))
        raise typer.Exit


@app.callback()
def _lorry(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train LoRA adapters, each job in its own container."""


for command in (
    login,
    submit,
    jobs,
    job,
    upkeep,
    logs,
    records,
    stats,
    download,
    datasets,
    models,
    promote,
    experiments,
    webhooks,
    admin,
    server,
    cleanup,
    demo,
):
    command.register(app)


def main() -> None:
    try:
        app()
    except CliError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except LorryError as error:  # from the operator's commands, which call the services without HTTP in between
        print(f"{error.message} ({error.code})", file=sys.stderr)
        sys.exit(ExitCode.FAILED)
    except BrokenPipeError:
        # `lorry jobs | head`: the reader has enough. Closing stderr keeps the interpreter from complaining at exit.
        sys.stderr.close()


if __name__ == "__main__":
    main()
