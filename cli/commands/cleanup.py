"""`lorry cleanup`: what retention would take by and by, left-over containers, and files that belong to no job."""
# ruff: noqa: PLC0415 - what this calls takes several times as long to import as a user's command needs

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.commands.server import ConfigOption
from cli.connection import JsonOption
from cli.errors import ExitCode
from cli.text import print_json, print_table, size


def register(app: typer.Typer) -> None:
    app.command()(cleanup)


def cleanup(
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what nobody needs any more: records past their days, left-over containers, files of no job.

    Jobs that have not ended, job rows and adapter files stay. It may run beside a server.
    """
    from cli.settings import load_settings
    from orchestrator import bootstrap
    from orchestrator.json_log import configure_json_log

    settings = load_settings(config)
    configure_json_log(settings.log_level)
    service = bootstrap.cleanup_service(settings)
    report = service.preview() if is_dry_run else service.run()
    if as_json:
        kinds = {each.kind: {"count": each.count, "size_bytes": each.size_bytes} for each in report.removed}
        print_json({"dry_run": is_dry_run, "removed": kinds, "problem": report.problem})
    else:
        rows = [(each.kind, str(each.count), size(each.size_bytes)) for each in report.removed if each.count]
        print_table(("WOULD REMOVE" if is_dry_run else "REMOVED", "COUNT", "SIZE"), rows, empty="Nothing to remove.")
    if report.problem is not None:
        print(report.problem, file=sys.stderr)
        raise typer.Exit(ExitCode.FAILED)
