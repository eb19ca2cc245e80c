"""`lorry models list`."""

from __future__ import annotations

import typer

from cli.client import DEFAULT_URL
from cli.connection import JsonOption, UrlOption, connect
from cli.text import print_json, print_table

_COLUMNS = ("MODEL", "FAMILY", "STATUS", "LICENCE", "DESCRIPTION")

models = typer.Typer(help="Base models to train on.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(models, name="models")


@models.command("list")
def list_models(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List the base models of this server."""
    with connect(url) as lorry:
        found = lorry.models()
    if as_json:
        print_json(found)
    else:
        rows = [(one["id"], one["family"], one["status"], one["licence"], one["description"]) for one in found]
        print_table(_COLUMNS, rows, empty="This server offers no base models.")
