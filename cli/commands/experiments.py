"""`lorry experiments`: jobs that belong together."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.answers import Experiment
from cli.client import DEFAULT_URL
from cli.connection import JsonOption, UrlOption, connect
from cli.text import instant, print_json, print_table, printable

_COLUMNS = ("EXPERIMENT", "NAME", "JOBS", "CREATED")

experiments = typer.Typer(help="Jobs that belong together.", no_args_is_help=True, rich_markup_mode=None)

ExperimentArgument = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="The experiment's id.")]


def register(app: typer.Typer) -> None:
    app.add_typer(experiments, name="experiments")


@experiments.command("list")
def list_experiments(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your experiments, newest first."""
    with connect(url) as lorry:
        found = lorry.experiments()
    if as_json:
        print_json({"data": found.items, "total": found.total})
    else:
        print_table(_COLUMNS, map(_row, found.items), empty="No experiments.")


@experiments.command()
def begin(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    description: Annotated[str | None, typer.Option(help="What is tried.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Begin an experiment and print its id, for `lorry submit --experiment`."""
    with connect(url) as lorry:
        begun = lorry.begin_experiment(name, description=description)
    if as_json:
        print_json(begun)
    else:
        print(begun["id"])


@experiments.command()
def show(experiment: ExperimentArgument, url: UrlOption = DEFAULT_URL) -> None:
    """Print an experiment with its jobs, their settings and figures, as JSON."""
    with connect(url) as lorry:
        print_json(lorry.experiment(experiment))


@experiments.command()
def delete(experiment: ExperimentArgument, url: UrlOption = DEFAULT_URL) -> None:
    """Delete an experiment; its jobs stay."""
    with connect(url) as lorry:
        lorry.delete_experiment(experiment)
    print(f"Deleted experiment {printable(experiment)}; its jobs stay.")


def _row(experiment: Experiment) -> tuple[str, ...]:
    return (experiment["id"], experiment["name"], str(experiment["job_count"]), instant(experiment["created_at"]))
