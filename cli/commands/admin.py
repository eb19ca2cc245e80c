"""`lorry admin`: what administrators see and decide."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.answers import AuditEntry, Container, Device
from cli.client import DEFAULT_URL
from cli.commands.jobs import JOB_COLUMNS, JobArgument, job_row
from cli.connection import JsonOption, UrlOption, connect
from cli.text import duration, instant, number, print_json, print_table, printable, size

_CONTAINER_COLUMNS = ("CONTAINER", "STATE", "OWNER", "JOB", "CPU", "MEMORY", "GPUS", "AGE")
_DEVICE_COLUMNS = ("DEVICE", "OWNER", "JOB", "SUSPECT")
_AUDIT_COLUMNS = ("AT", "WHO", "DID", "TO", "MESSAGE")

admin = typer.Typer(help="For administrators.", no_args_is_help=True, rich_markup_mode=None)

ContainerArgument = Annotated[str, typer.Argument(metavar="CONTAINER", help="The container's id or name.")]
ReasonOption = Annotated[str, typer.Option(help="Whoever it concerns reads it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(admin, name="admin")


@admin.command("jobs")
def list_jobs(
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page of the list.")] = 1,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List everybody's jobs, newest first."""
    with connect(url) as lorry:
        found = lorry.all_jobs(page=page, user_id=user)
    if as_json:
        print_json({"data": found.items, "total": found.total, "page": found.page})
    else:
        print_table(JOB_COLUMNS, map(job_row, found.items), empty="No jobs.")


@admin.command()
def priority(
    job: JobArgument,
    value: Annotated[int, typer.Argument(metavar="PRIORITY", min=-1, max=2, help="Higher starts earlier.")],
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Move a waiting job up or down the queue."""
    with connect(url) as lorry:
        after = lorry.set_priority(job, value)
    print(f"Job {after['id']} has priority {value}.")


@admin.command()
def containers(url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List this installation's containers, whose they are and what they use."""
    with connect(url) as lorry:
        found = lorry.containers()
    if as_json:
        print_json(found)
    else:
        print_table(_CONTAINER_COLUMNS, map(_container_row, found), empty="No containers.")


@admin.command("logs")
def container_logs(
    container: ContainerArgument,
    tail: Annotated[int, typer.Option(min=1, max=10_000, help="Number of last lines.")] = 200,
    url: UrlOption = DEFAULT_URL,
) -> None:
    """Print what a container printed."""
    with connect(url) as lorry:
        lines = lorry.container_log(container, tail=tail)
    sys.stdout.writelines(f"{printable(line)}\n" for line in lines)


@admin.command()
def stop(container: ContainerArgument, reason: ReasonOption, url: UrlOption = DEFAULT_URL) -> None:
    """Stop a container: its job is cancelled, with a checkpoint if it can."""
    with connect(url) as lorry:
        lorry.stop_container(container, reason=reason)
    print(f"Container {printable(container)} is being stopped.")


@admin.command()
def gpus(
    trust: Annotated[str | None, typer.Option(metavar="DEVICE", help="Hold nothing against this one any more.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List devices, who holds them, and which are suspect because they failed a job."""
    with connect(url) as lorry:
        if trust is not None:
            lorry.trust_device(trust)
        found = lorry.devices()
    if as_json:
        print_json(found)
    else:
        print_table(_DEVICE_COLUMNS, map(_device_row, found), empty="No devices.")


@admin.command()
def limit(
    user: Annotated[str | None, typer.Argument(help="Whose; without one all that are set are listed.")] = None,
    jobs: Annotated[int | None, typer.Option(min=0, help="Running jobs at a time; left out: as everybody's.")] = None,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Give a user a limit of their own, or take it back."""
    with connect(url) as lorry:
        if user is not None:
            lorry.set_limit(user, jobs)
        found = lorry.limits()
    if as_json:
        print_json(found)
    else:
        rows = [(each["user_id"], str(each["max_active_jobs"])) for each in found]
        print_table(("USER", "RUNNING JOBS"), rows, empty="Nobody has a limit of their own.")


@admin.command()
def maintenance(
    begin: Annotated[str | None, typer.Option(metavar="REASON", help="Begin it: accept jobs, start none.")] = None,
    *,
    is_ended: Annotated[bool, typer.Option("--end", help="End it.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show, begin or end maintenance."""
    with connect(url) as lorry:
        if begin is not None:
            lorry.begin_maintenance(begin)
        elif is_ended:
            lorry.end_maintenance()
        now = lorry.maintenance()
    if as_json:
        print_json(now)
    elif now["is_on"]:
        print(printable(f"Maintenance since {instant(now['since'])} by {now['actor']}: {now['reason']}"))
    else:
        print("No maintenance; jobs start.")


@admin.command()
def audit(
    page: Annotated[int, typer.Option(min=1, help="Which page of the log.")] = 1,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what administrators and operators did, newest first."""
    with connect(url) as lorry:
        found = lorry.audit(page=page)
    if as_json:
        print_json({"data": found.items, "total": found.total})
    else:
        print_table(_AUDIT_COLUMNS, map(_audit_row, found.items), empty="Nothing yet.")


def _container_row(container: Container) -> tuple[str, ...]:
    usage = container["usage"]
    return (
        container["name"],
        container["state"],
        container["owner"] or "",
        container["job_id"] or "",
        f"{number(usage['cpu_percent'], digits=0)} %",
        size(usage["memory_bytes"]),
        ", ".join(container["gpu_ids"]),
        duration(container["age_seconds"]),
    )


def _device_row(device: Device) -> tuple[str, ...]:
    suspect = device["suspect"]["reason"] if device["suspect"] else ""
    return (device["id"], device["owner"] or "", device["job_id"] or "", suspect)


def _audit_row(entry: AuditEntry) -> tuple[str, ...]:
    return (instant(entry["at"]), entry["actor"], entry["action"], entry["subject"], entry["message"])
