"""The torch half of a run: load, preprocess, train, evaluate, register, each announced by a phase event."""

import importlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from lora_trainer import adapter
from lora_trainer.checkpoint import AdapterContent, CheckpointFolder
from lora_trainer.config import JobConfig
from lora_trainer.device import is_gpu_fault, pick_device, pick_dtype
from lora_trainer.errors import BadConfig, GpuFailed, OutOfGpuMemory
from lora_trainer.evaluate import EarlyStopping, Validator, fixed_noise_loss
from lora_trainer.events import Events, NoEvents
from lora_trainer.export import build_metadata, check_picture, check_reload, export, kohya_tensors
from lora_trainer.families import FamilyEntry
from lora_trainer.families.family import Family
from lora_trainer.graph import recorder_for
from lora_trainer.loop import Callback, Reporter, train
from lora_trainer.machine import available_cpus
from lora_trainer.memory import describe_memory_profile, peak_memory_bytes, with_optimizer_at_hand
from lora_trainer.model_card import write_model_card
from lora_trainer.preflight import Item
from lora_trainer.preprocess import Job, Prepared, preprocess
from lora_trainer.rollback import train_with_a_second_chance
from lora_trainer.state import Checkpointer, TrainingState
from lora_trainer.step import Stepper, StepResult
from lora_trainer.stop import StopRequest
from lora_trainer.team import Command, Seat, Step, TakeOver, gathered, joined

CHECK_SAMPLER_STEPS = 8


@dataclass(frozen=True, slots=True)
class Trained:
    pairs: list[adapter.Pair]
    steps: int
    eval_loss_before: float


def train_adapter(config: JobConfig, items: list[Item], entry: FamilyEntry, events: Events, stop: StopRequest) -> None:
    config = with_optimizer_at_hand(config, events)
    try:
        with gathered(pick_device(config.device), partial(follow, config, items, entry)) as team:
            _run_phases(Job(config, events, stop, team), items, entry)
    except torch.OutOfMemoryError as exc:
        raise OutOfGpuMemory(
            f"the GPU ran out of memory at resolution {config.training_params.resolution} with "
            f"{describe_memory_profile(config.training_params)}; lower one of them or set gradient_checkpointing"
        ) from exc
    except RuntimeError as exc:
        if is_gpu_fault(exc):
            raise GpuFailed(f"the GPU or its driver failed: {str(exc).splitlines()[0]}") from exc
        raise


def _run_phases(job: Job, items: list[Item], entry: FamilyEntry) -> None:
    started_at = time.monotonic()
    family = load(job, entry)
    _begin(job, "preprocess", started_at)
    prepared = preprocess(job, family, items)
    _begin(job, "train", started_at)
    trained = train_pairs(job, prepared)
    _begin(job, "evaluate", started_at)
    eval_loss_after = evaluate(prepared, trained)
    _begin(job, "register", started_at)
    register(job, prepared, trained, eval_loss_after)


def _begin(job: Job, phase: str, started_at: float) -> None:
    job.stop.raise_if_made(f"before the phase {phase}")
    job.events.emit("phase", phase=phase)
    print(f"phase {phase} ({time.monotonic() - started_at:.1f} s)", flush=True)


def load(job: Job, entry: FamilyEntry) -> Family:
    torch.set_num_threads(available_cpus())
    device = pick_device(job.config.device)
    params = job.config.training_params
    dtype = pick_dtype(params.mixed_precision, device)
    module = importlib.import_module(entry.module)
    family: Family = module.FAMILY.load(
        Path(job.config.base_model_path), device=device, dtype=dtype, adapts_text=params.text_encoder_lora
    )
    print(f"{job.config.base_model} on {device} as {dtype}", flush=True)
    return family


def train_pairs(job: Job, prepared: Prepared) -> Trained:
    params, family = job.config.training_params, prepared.family
    trained = _attach(job, family)
    # Fresh pairs do nothing yet, so this is the base model's own loss, in a resumed run too.
    eval_loss_before = fixed_noise_loss(family, prepared.evaluated)
    stepper = _build_stepper(job, prepared, trained)
    state = TrainingState(stepper, EarlyStopping(params.early_stopping_patience))
    folder = CheckpointFolder(
        job.outputs / "checkpoints",
        identity=prepared.identity,
        keep=params.keep_checkpoints,
        adapter_at=partial(_adapter_at, job, prepared, trained, stepper),
    )
    if not _resume(job.config, folder, state):
        prepared.sampler.make_all(0)  # what the base model draws, to compare with
    train_with_a_second_chance(
        partial(_train_to_the_end, job, prepared, stepper, state, folder),
        state,
        folder,
        job.events,
        start_over=partial(trained.initialise, params.seed),
    )
    state.settle()
    return Trained(trained.pairs, state.step, eval_loss_before)


def _resume(config: JobConfig, folder: CheckpointFolder, state: TrainingState) -> bool:
    """Whether there was a checkpoint to go on from. Raises BadConfig where there had to be one."""
    checkpoint = folder.find(config.resume_from)
    if checkpoint is None and config.continues_from is not None:
        raise BadConfig(
            f"the checkpoint {config.continues_from} to go on from is not there, damaged, or of another configuration"
        )
    if checkpoint is None:
        return False
    state.resume(checkpoint)
    if folder.name_of(checkpoint.step) == config.continues_from:
        state.early_stopping.be_patient_again()  # or a run that had lost its patience would take no step
    print(f"resuming after step {state.step}", flush=True)
    return True


def _train_to_the_end(
    job: Job, prepared: Prepared, stepper: Stepper, state: TrainingState, folder: CheckpointFolder
) -> None:
    stepper.lead()
    train(
        stepper,
        done=state.step,
        steps=job.config.training_params.steps,
        callbacks=_build_callbacks(job, prepared, stepper, state, folder),
        is_over=state.early_stopping.is_over,
    )


def evaluate(prepared: Prepared, trained: Trained) -> float:
    after = fixed_noise_loss(prepared.family, prepared.evaluated)
    print(f"loss on fixed noise: {trained.eval_loss_before:.5f} before, {after:.5f} after", flush=True)
    prepared.sampler.make_all(trained.steps)
    return after


def register(job: Job, prepared: Prepared, trained: Trained, eval_loss_after: float) -> None:
    """Write the adapter files and prove them; nothing is reported as a result before that."""
    family, train_count = prepared.family, len(prepared.train)
    metadata = build_metadata(job.config, family, steps=trained.steps, train_count=train_count)
    files = export(trained.pairs, job.config, metadata)
    example = prepared.train.batch(0, [0], [0])
    fresh, reload_error = check_reload(family, files, example.conditioning, example.mean.shape[1:])
    picture_change = check_picture(fresh, lambda: prepared.sampler.make(fresh, 0, CHECK_SAMPLER_STEPS))
    write_model_card(
        job.config,
        adapter=files[0].path.name,
        prompt=prepared.sampler.prompts[0],
        facts={"steps_taken": trained.steps, "train_count": train_count, "val_count": prepared.val_count},
        samples=prepared.sampler.paths(trained.steps),
    )
    job.events.emit(
        "result",
        adapters=[file.describe(job.outputs) for file in files],
        steps=trained.steps,
        train_count=train_count,
        val_count=prepared.val_count,
        eval_loss_before=trained.eval_loss_before,
        eval_loss_after=eval_loss_after,
        reload_error=reload_error,
        picture_change=picture_change,
        peak_memory_bytes=peak_memory_bytes(family.denoiser.device),
        memory_profile=describe_memory_profile(job.config.training_params),
    )
    shutil.rmtree(job.cache, ignore_errors=True)  # nothing will be resumed
    print(
        f"adapter: {files[0].path.name} (reload error {reload_error:.1e}, picture change {picture_change:.4f})",
        flush=True,
    )


def follow(config: JobConfig, items: list[Item], entry: FamilyEntry, seat: Seat, commands: Iterator[Command]) -> None:
    """What a process of the team does that is not its leader: load, prepare, and then step when it is told to."""
    with joined(seat) as team:
        job = Job(config, NoEvents(), StopRequest(), team)
        family = load(job, entry)
        stepper: Stepper | None = None
        for command in commands:
            if stepper is None:  # only now: the leader has filled the cache of latents
                prepared = preprocess(job, family, items)
                stepper = _build_stepper(job, prepared, _attach(job, family))
            match command:
                case TakeOver():
                    stepper.take_over()
                case Step(number, rate_factor):
                    stepper.rate_factor = rate_factor
                    stepper(number)


def _build_stepper(job: Job, prepared: Prepared, trained: adapter.Adapter) -> Stepper:
    params = job.config.training_params
    return Stepper(
        prepared.family,
        trained.weights,
        prepared.sources(params),
        prepared.empty,
        params,
        # A graph would hold the wait for the others too, and break where one process steps without its graph.
        recorder=recorder_for(prepared.family.denoiser.device) if _is_recordable(job) else None,
        team=job.team,
    )


def _is_recordable(job: Job) -> bool:
    return job.team.size == 1 and job.config.training_params.optimizer != "adamw8bit"


def _attach(job: Job, family: Family) -> adapter.Adapter:
    params = job.config.training_params
    attached = adapter.attach(family, rank=params.lora_rank, alpha=params.lora_alpha, seed=params.seed)
    if params.gradient_checkpointing:
        family.enable_gradient_checkpointing()
    for network in family.networks:
        network.model.train()  # gradient checkpointing works in this mode only; nothing in the networks drops out
    return attached


def _build_callbacks(
    job: Job, prepared: Prepared, stepper: Stepper, state: TrainingState, folder: CheckpointFolder
) -> list[Callback]:
    """In the order they are called: a report may carry the validation's loss, a checkpoint comes last."""
    params = job.config.training_params
    validator = Validator(
        lambda: fixed_noise_loss(prepared.family, prepared.evaluated), params.validation_every, state.note_validation
    )
    reporter = Reporter(
        job.events,
        done=state.step,
        steps=params.steps,
        samples_a_step=job.samples_a_step,
        train_count=len(prepared.train),
        val_count=prepared.val_count,
        val_loss_at=validator.val_loss_at,
    )
    checkpointer = Checkpointer(
        state,
        folder,
        job.events,
        job.stop,
        every=params.checkpoint_every,
        steps=params.steps,
        require_finite=reporter.require_finite,
    )
    return [_averaged(stepper, validator), reporter, _averaged(stepper, prepared.sampler), checkpointer]


def _adapter_at(job: Job, prepared: Prepared, trained: adapter.Adapter, stepper: Stepper, step: int) -> AdapterContent:
    """What would be exported if the run ended now; the job's own file says at which step it did."""
    metadata = build_metadata(job.config, prepared.family, steps=step, train_count=len(prepared.train))
    metadata["lorry.checkpoint_step"] = str(step)
    with stepper.averaged():
        tensors = kohya_tensors(trained.pairs, job.config.training_params.lora_alpha)
        return AdapterContent({name: tensor.cpu() for name, tensor in tensors.items()}, metadata)


def _averaged(stepper: Stepper, callback: Callback) -> Callback:
    """What is judged or drawn is what would be exported."""

    def call(step: int, result: StepResult) -> None:
        with stepper.averaged():
            callback(step, result)

    return call
