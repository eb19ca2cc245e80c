"""`lorry datasets upload|list|show|report|delete`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.answers import Dataset, DatasetItem, Report
from cli.archive import write_archive
from cli.client import DEFAULT_URL, LorryClient
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import UsageProblem
from cli.progress import transfer_bar
from cli.text import instant, print_json, print_table, printable, size

_SHOWN_IDS = 5
_ITEM_COLUMNS = ("ITEM", "NAME", "PIXELS", "SIZE", "LEFT OUT", "CAPTION")
_COLUMNS = ("DATASET", "NAME", "PICTURES", "CAPTIONS", "SIZE", "CREATED")

datasets = typer.Typer(help="Pictures with captions to train on.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(datasets, name="datasets")


@datasets.command()
def upload(
    source: Annotated[Path, typer.Argument(help="A folder of pictures and same-named .txt captions, or a zip of one.")],
    name: Annotated[str | None, typer.Option(help="What to call the dataset; otherwise the folder's name.")] = None,
    strip_exif: Annotated[
        bool, typer.Option("--strip-exif", help="Keep no metadata, such as where a picture was taken.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Upload a dataset and print its id."""
    if not source.exists():
        raise UsageProblem(f"There is no file or folder {source}.")
    with connect(url) as lorry:
        uploaded = upload_source(lorry, source, name=name or source.resolve().stem, strip_exif=strip_exif)
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


DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's id.")]


@datasets.command()
def show(
    dataset: DatasetArgument,
    page: Annotated[int, typer.Option(min=1, help="Which fifty of its items.")] = 1,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List a dataset's items."""
    with connect(url) as lorry:
        found = lorry.dataset_items(dataset, page=page)
    if as_json:
        print_json({"data": found.items, "total": found.total, "page": found.page})
    else:
        print_table(_ITEM_COLUMNS, map(_item_row, found.items), empty="No items on this page.")


@datasets.command()
def report(
    dataset: DatasetArgument,
    resolution: Annotated[int, typer.Option(help="The one to train at.")] = 512,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with a dataset."""
    with connect(url) as lorry:
        found = lorry.dataset_report(dataset, resolution=resolution)
    if as_json:
        print_json(found)
    else:
        print("\n".join(_report_lines(found)))


@datasets.command()
def delete(dataset: DatasetArgument, url: UrlOption = DEFAULT_URL) -> None:
    """Delete a dataset with its pictures, for good."""
    with connect(url) as lorry:
        deleted = lorry.delete_dataset(dataset)
    print(f"Deleted {printable(deleted['name'])} ({deleted['item_count']} pictures).")


def upload_source(lorry: LorryClient, source: Path, *, name: str, strip_exif: bool = False) -> Dataset:
    if source.is_dir():
        return upload_folder(lorry, source, name=name, strip_exif=strip_exif)
    return _upload(lorry, source, name=name, strip_exif=strip_exif)


def upload_folder(lorry: LorryClient, folder: Path, *, name: str, strip_exif: bool = False) -> Dataset:
    with tempfile.TemporaryDirectory(prefix="lorry-upload-") as scratch:
        archive = Path(scratch) / "dataset.zip"
        write_archive(folder, archive)
        return _upload(lorry, archive, name=name, strip_exif=strip_exif)


def _upload(lorry: LorryClient, archive: Path, *, name: str, strip_exif: bool) -> Dataset:
    with transfer_bar(f"uploading {name}", archive.stat().st_size) as told:
        return lorry.upload_dataset(archive, name=name, strip_exif=strip_exif, on_bytes=told)


def _row(dataset: Dataset) -> tuple[str, ...]:
    return (
        dataset["id"],
        dataset["name"],
        str(dataset["item_count"]),
        str(dataset["captioned_count"]),
        size(dataset["size_bytes"]),
        instant(dataset["created_at"]),
    )


def _item_row(item: DatasetItem) -> tuple[str, ...]:
    pixels = f"{item['width']} x {item['height']}"
    return (
        item["id"],
        item["original_name"],
        pixels,
        size(item["size_bytes"]),
        item["excluded"] or "",
        item["caption"] or "",
    )


def _report_lines(found: Report) -> Iterator[str]:
    left_out = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in found["excluded_items"].items())
    yield f"{found['trainable_count']} of {found['item_count']} items may be trained on." + (
        f" Left out: {left_out}." if left_out else ""
    )
    shapes = ", ".join(f"{bucket['count']} at {bucket['width']} x {bucket['height']}" for bucket in found["buckets"])
    if shapes:
        yield f"Shapes at resolution {found['resolution']}: {shapes}."
    for finding in found["findings"]:
        yield f"- {finding['message']} {', '.join(finding['item_ids'][:_SHOWN_IDS])}" + (
            " ..." if len(finding["item_ids"]) > _SHOWN_IDS else ""
        )
    for each in found["advice"]:
        yield f"* {each['advice']} {each['reason']}"
