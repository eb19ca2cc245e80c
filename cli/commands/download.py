"""`lorry download`: a job's files, each checked against its sha256."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from cli.answers import Artifact
from cli.client import DEFAULT_URL, LorryClient
from cli.commands.jobs import JobArgument
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import CheckFailed, UsageProblem
from cli.progress import transfer_bar
from cli.text import print_json, printable, size


def register(app: typer.Typer) -> None:
    app.command()(download)


def download(
    job: JobArgument,
    artifact: Annotated[str | None, typer.Argument(help="Name, path or id of one file; otherwise all of them.")] = None,
    into: Annotated[Path, typer.Option(help="Folder to put them into; made if missing.")] = Path(),
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Download the files a job produced. A file that is already there, whole, is not fetched again;
    one that broke off goes on where it ended."""
    with connect(url) as lorry:
        wanted = _wanted(lorry.artifacts(job), job, artifact)
        paths = [fetch(lorry, one, into) for one in wanted]
    if as_json:
        print_json([{**one, "saved_as": str(path)} for one, path in zip(wanted, paths, strict=True)])
        return
    for one, path in zip(wanted, paths, strict=True):
        print(f"{path}  {size(one['size_bytes'])}  sha256 {one['sha256']}")


def fetch(lorry: LorryClient, artifact: Artifact, into: Path) -> Path:
    """The artifact's path under `into`, downloaded unless the same bytes are already there."""
    target = into / _relative_path(artifact)
    if target.is_file() and _sha256(target) == artifact["sha256"]:
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with transfer_bar(artifact["path"], artifact["size_bytes"]) as told:
            lorry.download(artifact, target, on_bytes=told)
    except OSError as error:
        raise UsageProblem(f"Could not write {target}: {error.strerror or error}.") from error
    return target


def _wanted(artifacts: list[Artifact], job_id: str, name: str | None) -> list[Artifact]:
    wanted = [one for one in artifacts if name is None or name in (one["id"], one["name"], one["path"])]
    if wanted:
        return wanted
    if name is None:
        raise CheckFailed(f"Job {job_id} has no files yet; they appear when it ends.")
    raise UsageProblem(f"Job {job_id} has no file {name}. It has: {', '.join(one['path'] for one in artifacts)}.")


def _relative_path(artifact: Artifact) -> PurePosixPath:
    """The path, as long as it stays inside the folder: a server's word is not trusted with our disk."""
    path = PurePosixPath(printable(artifact["path"]))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise CheckFailed(f"Refused to write a file named {artifact['path']!r}: it would leave the folder.")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
