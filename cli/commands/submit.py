"""`lorry submit`: a dataset id or a folder in, a job id out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.client import DEFAULT_URL, LorryClient
from cli.commands.datasets import upload_folder
from cli.commands.jobs import watch_job
from cli.commands.plan import show_plan
from cli.connection import JsonOption, UrlOption, connect
from cli.errors import UsageProblem
from cli.text import print_json
from cli.training_options import config_from, describe_all, training_option
from orchestrator.domain.training import TrainingType

_EPILOG = f"Every option of training, for --set KEY=VALUE:\n\n\b\n{describe_all()}"


TriggerOption = Annotated[
    list[str] | None,
    typer.Option("--trigger", metavar="WORDS", help="Words that call the subject; may be repeated."),
]
PresetOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Settings to start from; what is given besides wins.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would happen, and what speaks against it.")
]


def register(app: typer.Typer) -> None:
    app.command(epilog=_EPILOG)(submit)


def submit(
    dataset: Annotated[str, typer.Argument(help="Id of a dataset, or a folder of pictures and .txt captions.")],
    *,
    base_model: Annotated[str, typer.Option(metavar="MODEL", help="Base model; `lorry models list` shows them.")],
    training_type: Annotated[TrainingType, typer.Option("--type", help="Kind of training.")] = TrainingType.LORA,
    steps: Annotated[int | None, training_option("steps", "--steps")] = None,
    learning_rate: Annotated[float | None, training_option("learning_rate", "--learning-rate")] = None,
    batch_size: Annotated[int | None, training_option("batch_size", "--batch-size")] = None,
    resolution: Annotated[int | None, training_option("resolution", "--resolution")] = None,
    lora_rank: Annotated[int | None, training_option("lora_rank", "--rank")] = None,
    lora_alpha: Annotated[int | None, training_option("lora_alpha", "--alpha")] = None,
    seed: Annotated[int | None, training_option("seed", "--seed")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any option below.")] = None,
    trigger_words: TriggerOption = None,
    preset: PresetOption = None,
    experiment: Annotated[str | None, typer.Option(metavar="ID", help="Experiment that it belongs to.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call the job.")] = None,
    priority: Annotated[int | None, typer.Option(min=-1, max=2, help="Higher starts earlier.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, max=16, help="GPUs the job holds at once.")] = None,
    is_dry_run: DryRunOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay and show progress until the job ends.")] = False,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Submit a training job. A folder is uploaded as a new dataset first."""
    chosen = {
        "steps": steps,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "resolution": resolution,
        "lora_rank": lora_rank,
        "lora_alpha": lora_alpha,
        "seed": seed,
    }
    belongs = {"preset": preset, "experiment_id": experiment, "name": name}
    wishes = {"trigger_words": trigger_words, "priority": priority, "gpus": gpus}
    request = {
        "type": training_type.value,
        "base_model": base_model,
        "config": config_from(chosen, settings or ()),
        **{key: value for key, value in (belongs | wishes).items() if value is not None},
    }
    with connect(url) as lorry:
        if is_dry_run:
            show_plan(lorry.plan({"dataset_id": _known_dataset_id(dataset), **request}), as_json=as_json)
        else:
            _submit(lorry, dataset, request, watch=watch, as_json=as_json)


def _submit(lorry: LorryClient, dataset: str, request: dict[str, Any], *, watch: bool, as_json: bool) -> None:
    submitted = lorry.submit({"dataset_id": _dataset_id(lorry, dataset), **request})
    if not as_json or watch:
        print(f"Job {submitted['job_id']} is {submitted['status']}. {submitted['message']}", file=sys.stderr)
    if watch:
        watch_job(lorry, submitted["job_id"], as_json=as_json)
    elif as_json:
        print_json(submitted)
    else:
        print(submitted["job_id"])


def _known_dataset_id(dataset: str) -> str:
    """A dry run stores nothing, so it uploads nothing either."""
    try:
        return str(UUID(dataset))
    except ValueError:
        raise UsageProblem("--dry-run takes the id of a dataset: nothing is uploaded for it.") from None


def _dataset_id(lorry: LorryClient, dataset: str) -> str:
    try:
        return str(UUID(dataset))
    except ValueError:
        pass
    folder = Path(dataset)
    if not folder.is_dir():
        raise UsageProblem(f"{dataset} is neither the id of a dataset nor a folder here.")
    uploaded = upload_folder(lorry, folder, name=folder.resolve().name)
    print(f"Uploaded {folder} as dataset {uploaded['id']} ({uploaded['item_count']} pictures).", file=sys.stderr)
    return uploaded["id"]
