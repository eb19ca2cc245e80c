"""`lorry datasets upload|list`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cli.answers import Dataset
from cli.archive import write_archive
from cli.client import DEFAULT_URL, LorryClient
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import UsageProblem
from cli.text import print_json, print_table, size

_COLUMNS = ("DATASET", "NAME", "PICTURES", "CAPTIONS", "SIZE", "CREATED")

datasets = typer.Typer(help="Pictures with captions to train on.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(datasets, name="datasets")


@datasets.command()
def upload(
    source: Annotated[Path, typer.Argument(help="A folder of pictures and same-named .txt captions, or a zip of one.")],
    name: Annotated[str | None, typer.Option(help="What to call the dataset; otherwise the folder's name.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Upload a dataset and print its id."""
    if not source.exists():
        raise UsageProblem(f"There is no file or folder {source}.")
    with connect(url) as lorry:
        uploaded = upload_source(lorry, source, name=name or source.resolve().stem)
    if as_json:
        print_json(uploaded)
    else:
        print(uploaded["id"])


@datasets.command("list")
def list_datasets(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List your datasets."""
    with connect(url) as lorry:
        found = lorry.datasets()
    if as_json:
        print_json({"data": found.items, "total": found.total})
    else:
        print_table(_COLUMNS, map(_row, found.items), empty="No datasets.")


def upload_source(lorry: LorryClient, source: Path, *, name: str) -> Dataset:
    return upload_folder(lorry, source, name=name) if source.is_dir() else lorry.upload_dataset(source, name=name)


def upload_folder(lorry: LorryClient, folder: Path, *, name: str) -> Dataset:
    with tempfile.TemporaryDirectory(prefix="lorry-upload-") as scratch:
        archive = Path(scratch) / "dataset.zip"
        write_archive(folder, archive)
        return lorry.upload_dataset(archive, name=name)


def _row(dataset: Dataset) -> tuple[str, ...]:
    return (
        dataset["id"],
        dataset["name"],
        str(dataset["item_count"]),
        str(dataset["captioned_count"]),
        size(dataset["size_bytes"]),
        dataset["created_at"][:19].replace("T", " "),
    )
