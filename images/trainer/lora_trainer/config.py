"""The two kinds of configuration file: every key, its range and default.

Twins of job-config.v1.json and diagnostic-config.v1.json in configs/schemas; a test compares them.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from lora_trainer.errors import BadConfig, summarise
from lora_trainer.rules import (
    AbsolutePath,
    Choice,
    Flag,
    Nullable,
    Number,
    Pattern,
    Rule,
    Section,
    Text,
    TextMap,
    Texts,
    Uuid,
    Whole,
    option,
)

MAX_CONFIG_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingParams:
    """A missing key means its default."""

    learning_rate: float = option(Number(1e-6, 1e-2), default=1e-4)  # AdamW's step size after warm-up
    batch_size: int = option(Whole(1, 8), default=1)  # images in one forward pass
    steps: int = option(Whole(100, 10_000), default=1000)  # optimizer steps in all
    resolution: int = option(Whole(256, 1024, multiple_of=64), default=512)  # its square is the area trained at
    lora_rank: int = option(Whole(4, 128), default=16)  # inner width of every adapter pair
    lora_alpha: int = option(Whole(1, 128), default=32)  # the adapter acts with strength alpha / rank
    seed: int = option(Whole(0, 2**32 - 1), default=42)  # all randomness follows from it and the step number
    lr_scheduler: Literal["constant", "constant_with_warmup", "cosine"] = option(
        Choice(("constant", "constant_with_warmup", "cosine")), default="constant"
    )  # how the learning rate moves over the steps; cosine falls to 0
    lr_warmup_steps: int = option(Whole(0, 10_000), default=0)  # linear rise at the start; "constant" has none
    optimizer: Literal["adamw", "adamw8bit", "prodigy"] = option(
        Choice(("adamw", "adamw8bit", "prodigy")), default="adamw"
    )  # prodigy finds its step size itself; learning_rate means nothing to it
    ema_decay: float | None = option(
        Nullable(Number(0.9, 0.9999)), default=None
    )  # keep a running average of the adapter, judge it and export it
    gradient_accumulation_steps: int = option(Whole(1, 64), default=1)  # batches summed into one step
    gradient_checkpointing: bool = option(Flag(), default=False)  # about half as slow again, much less memory
    mixed_precision: Literal["auto", "no", "bf16"] = option(
        Choice(("auto", "no", "bf16")), default="auto"
    )  # of the frozen base model; auto = bf16 on a GPU; the adapter itself is always float32
    min_snr_gamma: float | None = option(Nullable(Number(0.1, 20)), default=None)  # caps the weight of easy timesteps
    noise_offset: float = option(Number(0, 1), default=0.0)  # share of noise that is constant over each channel
    caption_dropout: float = option(Number(0, 1), default=0.05)  # share of samples trained on the empty caption
    horizontal_flip: bool = option(Flag(), default=False)  # every other sample is mirrored
    train_val_split: float = option(Number(0, 0.5), default=0.1)  # share of images held out
    validation_every: int | None = option(Nullable(Whole(1, 10_000)), default=None)  # steps; null = before and after
    sample_prompts: tuple[str, ...] = option(
        Texts(8, Text(500)), default=()
    )  # empty = one from trigger words or first caption
    sample_every: int | None = option(Nullable(Whole(1, 10_000)), default=None)  # steps; null = before and after
    checkpoint_every: int = option(Whole(1, 10_000), default=500)  # steps
    keep_checkpoints: int = option(Whole(1, 20), default=2)  # older ones are removed
    early_stopping_patience: int | None = option(
        Nullable(Whole(1, 100)), default=None
    )  # stop after so many validations without improvement, keep the best adapter
    prior_preservation: bool = option(Flag(), default=False)  # keep the subject's class as the base model draws it
    class_prompt: str | None = option(Nullable(Text(500)), default=None)  # of the class, without the trigger words
    class_images: int = option(Whole(1, 1000), default=100)  # how many the base model draws of its class
    prior_loss_weight: float = option(Number(0, 10), default=1.0)  # of the loss on class images
    text_encoder_lora: bool = option(Flag(), default=False)  # the adapter changes CLIP's text encoders too


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    v: Literal[1] = option(Choice((1,)))  # version of this file's format
    job_id: str = option(Uuid())
    attempt: int = option(Whole(1, 1000))  # 1 is the first
    name: str = option(Text(200))  # what the user calls the adapter
    type: Literal["lora", "dreambooth"] = option(Choice(("lora", "dreambooth")))  # captions, or one instance prompt
    dataset_path: str = option(AbsolutePath())  # flat folder of images and same-stem .txt captions
    base_model: str = option(Text(200))  # namespace/name, for people and metadata
    base_model_path: str = option(AbsolutePath())  # folder in the diffusers layout
    base_model_revision: str = option(Text(200))
    output_path: str = option(AbsolutePath())  # with the next one and /tmp, all that may be written to
    cache_path: str | None = option(
        Nullable(AbsolutePath()), default=None
    )  # encoded pictures and prompts that the user's jobs share; null = in the outputs, for this job alone
    device: Literal["auto", "cpu", "cuda"] = option(Choice(("auto", "cpu", "cuda")))  # auto = GPU where there is one
    resume_from: str | None = option(
        Nullable(Pattern(r"step-[0-9]{6}|scratch", "a checkpoint's name or scratch")), default=None
    )  # null = the newest checkpoint that fits
    continues_from: str | None = option(
        Nullable(Pattern(r"step-[0-9]{6}", "a checkpoint's name")), default=None
    )  # the checkpoint of another job that the outputs begin with; null = this job begins itself
    trigger_words: tuple[str, ...] = option(Texts(20, Text(100)))  # words that call the subject or style
    training_params: TrainingParams = option(Section(TrainingParams))  # noqa: RUF009 - makes a field, not a value
    lineage: Mapping[str, str] = option(
        TextMap(64, Text(100), Text(4096, min_length=0))
    )  # copied into the adapter file


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticParams:
    """A missing key means its default."""

    epochs: int = option(Whole(1, 1000), default=10)  # passes over the rows
    batch_size: int = option(Whole(1, 4096), default=16)  # rows in one step
    learning_rate: float = option(Number(1e-6, 1), default=1e-2)
    seed: int = option(Whole(0, 2**32 - 1), default=42)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticConfig:
    """A small regression that shows engine, GPU, mounts and reporting at work in seconds."""

    v: Literal[1] = option(Choice((1,)))
    job_id: str = option(Uuid())
    attempt: int = option(Whole(1, 1000))
    name: str = option(Text(200))
    type: Literal["diagnostic"] = option(Choice(("diagnostic",)))
    dataset_path: str | None = option(
        Nullable(AbsolutePath()), default=None
    )  # CSV or JSONL file, or a folder that holds one; null = rows made up from the seed
    output_path: str = option(AbsolutePath())
    device: Literal["auto", "cpu", "cuda"] = option(Choice(("auto", "cpu", "cuda")))
    training_params: DiagnosticParams = option(Section(DiagnosticParams))  # noqa: RUF009 - makes a field, not a value


def load_config(path: Path) -> JobConfig | DiagnosticConfig:
    """Read and check the whole file; every violation is reported at once."""
    document = _read_object(path)
    kind = DiagnosticConfig if document.get("type") == "diagnostic" else JobConfig
    problems = _violations(kind, document) or (_contradictions(document) if kind is JobConfig else [])
    if problems:
        raise BadConfig(f"{path.name}: {summarise(problems, limit=50)}")
    config: JobConfig | DiagnosticConfig = _build(kind, document)
    return config


def _read_object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise BadConfig(f"{path.name}: larger than {MAX_CONFIG_BYTES} bytes")
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise BadConfig(f"{path.name}: cannot be read ({exc.strerror})") from exc
    except (ValueError, RecursionError) as exc:
        raise BadConfig(f"{path.name}: is not valid JSON ({exc})") from exc
    if not isinstance(document, dict):
        raise BadConfig(f"{path.name}: must hold one JSON object")
    return document


def _violations(section: type, document: Mapping[str, Any], prefix: str = "") -> list[str]:
    known = {field.name: field for field in fields(section)}
    problems = [f"{prefix}{key}: unknown key" for key in document if key not in known]
    for name, field in known.items():
        rule = field.metadata["rule"]
        if name not in document:
            problems += [f"{prefix}{name}: is missing"] if field.default is MISSING else []
        elif problem := rule.problem(document[name]):
            problems.append(f"{prefix}{name}: {problem}")
        elif isinstance(rule, Section):
            problems += _violations(rule.content, document[name], f"{prefix}{name}.")
    return problems


def _contradictions(document: Mapping[str, Any]) -> list[str]:
    params = document["training_params"]
    problems = []
    if document["type"] == "dreambooth" and not document["trigger_words"]:
        problems.append("trigger_words: dreambooth needs at least one word to call the subject by")
    if params.get("prior_preservation") and document["type"] != "dreambooth":
        problems.append("training_params.prior_preservation: needs type dreambooth")
    if params.get("prior_preservation") and params.get("class_prompt") is None:
        problems.append("training_params.class_prompt: prior_preservation needs one, for instance 'a photo of a dog'")
    if params.get("early_stopping_patience") is not None and params.get("validation_every") is None:
        problems.append("training_params.early_stopping_patience: needs validation_every")
    return problems


def _build(section: type, document: Mapping[str, Any]) -> Any:
    """The checked `document` as its dataclass, sections within it too."""
    rules = {field.name: field.metadata["rule"] for field in fields(section)}
    return section(**{name: _built(rules[name], value) for name, value in document.items()})


def _built(rule: Rule, value: Any) -> Any:
    if isinstance(rule, Section):
        return _build(rule.content, value)
    return tuple(value) if isinstance(value, list) else value
