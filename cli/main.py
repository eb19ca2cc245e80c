"""`lorry`: puts the commands together and turns every expected failure into sentences and an exit code."""

from __future__ import annotations

import sys

import typer

from cli.commands import cleanup, datasets, demo, download, jobs, logs, models, server, submit
from cli.errors import CliError, ExitCode
from orchestrator.domain.errors import LorryError

_EPILOG = """\b
The server is --url or LORRY_URL (http://127.0.0.1:8000 otherwise); the token is LORRY_TOKEN or the
file ~/.config/lorry/token (mode 600).

\b
Exit codes: 0 done; 1 the job failed or was cancelled, or a check failed; 2 wrong usage;
3 the server refused; 4 no server answered; 130 interrupted (a watched job goes on).
"""

app = typer.Typer(
    name="lorry",
    help="Train LoRA adapters, each job in its own container.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (submit, jobs, logs, download, datasets, models, server, cleanup, demo):
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
