"""`lorry jobs`, `lorry watch`, `lorry cancel`, `lorry retry`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.answers import Best, Job
from cli.client import DEFAULT_URL, LorryClient
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import CheckFailed, ExitCode
from cli.text import instant, number, print_json, print_table
from cli.watching import display_on, follow, outcome, stage
from orchestrator.domain.lifecycle import JobStatus
from orchestrator.domain.training import TrainingType
from orchestrator.ports.job_store import JobOrder

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]

JOB_COLUMNS = ("JOB", "NAME", "MODEL", "STATUS", "STEP", "LOSS", "BEST", "CREATED")


def register(app: typer.Typer) -> None:
    app.command("jobs")(list_jobs)
    app.command()(watch)
    app.command()(cancel)
    app.command()(retry)


def list_jobs(
    *,
    status: Annotated[list[JobStatus] | None, typer.Option(help="Only jobs in this state; may be repeated.")] = None,
    training_type: Annotated[TrainingType | None, typer.Option("--type", help="Only this kind of training.")] = None,
    base_model: Annotated[str | None, typer.Option(help="Only jobs on this base model.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only jobs on this dataset id.")] = None,
    search: Annotated[str | None, typer.Option(help="Only jobs with this in their name.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only jobs with this tag.")] = None,
    sort: Annotated[JobOrder, typer.Option(help="By submission, or by the best loss, lowest first.")] = JobOrder.NEWEST,
    page: Annotated[int, typer.Option(min=1, help="Which page of the list.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=100, help="Jobs on a page.")] = 20,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """List your jobs, newest first unless --sort says otherwise. BEST is of validation where there is any."""
    with connect(url) as lorry:
        found = lorry.jobs(
            page=page,
            page_size=page_size,
            status=[one.value for one in status or ()],
            type=training_type.value if training_type else None,
            base_model=base_model,
            dataset_id=dataset,
            q=search,
            tag=tag,
            sort=sort.value,
        )
    if as_json:
        print_json({"data": found.items, "total": found.total, "page": found.page})
        return
    print_table(JOB_COLUMNS, map(job_row, found.items), empty="No jobs.")
    if found.total > len(found.items):
        print(f"Page {found.page}: {len(found.items)} of {found.total} jobs; --page shows more.")


def watch(job: JobArgument, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show a job's progress until it ends. Ctrl-C stops watching, never the job."""
    with connect(url) as lorry:
        watch_job(lorry, job, as_json=as_json)


def cancel(
    job: JobArgument,
    reason: Annotated[str | None, typer.Option(help="Kept with the job.")] = None,
    *,
    is_now: Annotated[
        bool, typer.Option("--now", help="Without a checkpoint of where it is, also if it is saving one.")
    ] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Ask a job to stop. A running one saves a checkpoint first, so the end may take a moment."""
    with connect(url) as lorry:
        lorry.cancel(job, reason=reason, save=not is_now)
        after = lorry.job(job)
    if as_json:
        print_json(after)
    else:
        print(f"Job {job}: cancellation requested, now {after['status']}.")


def retry(
    job: JobArgument,
    from_checkpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="Go on from this checkpoint, such as step-000500.")
    ] = None,
    *,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Use no checkpoint.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Try a failed job again with its settings, from its newest checkpoint unless told otherwise."""
    with connect(url) as lorry:
        after = lorry.retry(job, from_checkpoint=from_checkpoint or not from_scratch)
    if as_json:
        print_json(after)
    else:
        print(f"Job {job}: another attempt is queued, now {after['status']}. Follow it: lorry watch {job}.")


def watch_job(lorry: LorryClient, job_id: str, *, as_json: bool) -> None:
    """Follow a job and end as it ended. With JSON, stdout gets the final job alone."""
    try:
        with display_on(sys.stderr if as_json else sys.stdout) as display:
            job = follow(lorry, job_id, display)
    except KeyboardInterrupt:
        print(
            f"Stopped watching; the job goes on. Look again: lorry watch {job_id}. Stop it: lorry cancel {job_id}.",
            file=sys.stderr,
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    if as_json:
        print_json(job)
    if job["status"] != JobStatus.COMPLETED:
        raise CheckFailed(outcome(job))
    if not as_json:
        print(outcome(job))


def job_row(job: Job) -> tuple[str, ...]:
    return (
        job["id"],
        job["name"] or "",
        job["base_model"],
        stage(job),
        f"{job['current_step']}/{job['total_steps']}" if job["total_steps"] else "",
        number(job["metrics"].get("loss")) if job["metrics"] else "",
        at_step(job["best"]["val_loss"] or job["best"]["loss"]),
        instant(job["created_at"]),
    )


def at_step(best: Best | None) -> str:
    return f"{number(best['value'])} at {best['step']}" if best is not None else ""
