"""`lorry models`: what there is to train on, having it fetched, and what an operator does with what was fetched."""
# ruff: noqa: PLC0415 - what verify and prune call takes several times as long to import as a user's command needs

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.answers import Model
from cli.client import DEFAULT_URL, LorryClient
from cli.commands.server import ConfigOption
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import CheckFailed, ExitCode
from cli.text import print_json, print_table, printable, size

_COLUMNS = ("MODEL", "FAMILY", "STATUS", "SIZE", "GPU MEMORY", "LICENCE", "DESCRIPTION")
_LOOK_SECONDS = 1.0

ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="Base model; `lorry models list` shows them.")]
ModelsArgument = Annotated[list[str] | None, typer.Argument(metavar="[MODEL]...", show_default=False)]

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
        print_table(_COLUMNS, map(_row, found), empty="This server offers no base models.")


@models.command()
def pull(model: ModelArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Have the server fetch a base model now, and wait until it is there. Interrupted, the server goes on."""
    with connect(url) as lorry:
        lorry.fetch_model(model)
        with _percent_bar(model) as show:
            found = _wait(lorry, model, show)
    if as_json:
        print_json(found)
    elif found["ready"]:
        print(printable(f"{model} is here: {found['size'] or 'of unknown size'}, revision {found['revision']}."))
    if not found["ready"]:
        raise CheckFailed(f"{model} could not be fetched. {found['message']}")


@models.command()
def verify(model: ModelsArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Read models that were fetched, these or all, and hold every file against its checksum. For operators."""
    from cli.settings import load_settings
    from orchestrator import bootstrap

    found = bootstrap.model_cache(load_settings(config)).verify(model or ())
    if as_json:
        print_json({each.entry.id: list(each.problems) for each in found})
    else:
        rows = [(each.entry.id, "\n".join(each.problems) or "as its hub promised") for each in found]
        print_table(("MODEL", "FOUND"), rows, empty="No model was fetched yet.")
    if any(each.problems for each in found):
        raise typer.Exit(ExitCode.FAILED)


@models.command()
def prune(
    model: ModelsArgument = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove unfinished downloads, models that left the catalogue, and these models. For operators.

    A job that asks for a removed one has it fetched again. What somebody put into the cache by hand stays.
    """
    from cli.settings import load_settings
    from orchestrator import bootstrap

    removed = bootstrap.model_cache(load_settings(config)).prune(model or (), is_dry_run=is_dry_run)
    if as_json:
        folders = [{"name": each.name, "size_bytes": each.size_bytes} for each in removed]
        print_json({"dry_run": is_dry_run, "removed": folders})
    else:
        rows = [(each.name, size(each.size_bytes)) for each in removed]
        print_table(("WOULD REMOVE" if is_dry_run else "REMOVED", "SIZE"), rows, empty="Nothing to remove.")


def _row(model: Model) -> tuple[str, ...]:
    facts = (model["size"] or "-", model["memory"] or "-", model["licence"], model["description"])
    return (model["id"], model["family"], _status(model), *facts)


def _status(model: Model) -> str:
    if model["status"] == "downloading":
        return f"downloading, {model['progress'] or 0} %"
    if not model["ready"] and model["fetchable"] and not model["message"]:
        return "fetched when needed"
    return model["status"]


def _wait(lorry: LorryClient, model_id: str, show: Callable[[int], None]) -> Model:
    """The model once its download has ended, either way."""
    while True:
        found = next(each for each in lorry.models() if each["id"] == model_id)
        if found["status"] != "downloading":
            return found
        show(found["progress"] or 0)
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _percent_bar(what: str) -> Iterator[Callable[[int], None]]:
    """Yields what is to be told of percents. It draws on stderr: stdout is for results."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(printable(what), total=100)
        yield lambda percent: progress.update(bar, completed=percent)
