"""What a user may ask of the trainer: every option with its range, default and effect, in one place.

The API's request model, the dry run and the job's config file are all made from `TrainingConfig`; a test holds
`configs/schemas/job-config.v1.json` against it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A smaller dataset is trained on whole: one picture held out would be too much of it.
MIN_ITEMS_FOR_A_SPLIT = 5


class TrainingType(StrEnum):
    LORA = "lora"  # captions as written, trigger words put in
    DREAMBOOTH = "dreambooth"  # one instance prompt made from the trigger words
    DIAGNOSTIC = "diagnostic"  # a small regression instead of an adapter, to show that the machine works


@dataclass(frozen=True, slots=True)
class Option:
    """Bounds and meaning of one option. Bounds of a list are the number of its entries; those of a text, its length."""

    description: str
    minimum: float | None = None
    maximum: float | None = None
    multiple_of: int | None = None
    choices: tuple[str, ...] = ()
    max_text_length: int | None = None

    def admits(self, value: Any) -> bool:
        """Whether a value of the right kind is within the bounds; null always is, where an option may be null."""
        if value is None:
            return True
        if self.choices:
            return value in self.choices
        if isinstance(value, str):
            return self.max_text_length is None or len(value) <= self.max_text_length
        size = len(value) if isinstance(value, list | tuple) else value
        return (
            (self.minimum is None or size >= self.minimum)
            and (self.maximum is None or size <= self.maximum)
            and (self.multiple_of is None or size % self.multiple_of == 0)
        )


def _option(default: Any, description: str, **bounds: Any) -> Any:
    return dataclasses.field(default=default, metadata={"option": Option(description, **bounds)})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """The `config` object of a submission with every default filled in."""

    learning_rate: float = _option(1e-4, "Peak learning rate of the adapter's weights.", minimum=1e-6, maximum=1e-2)
    batch_size: int = _option(1, "Images a step.", minimum=1, maximum=8)
    steps: int = _option(1000, "Optimizer steps.", minimum=100, maximum=10_000)
    resolution: int = _option(
        512,
        "Its square is the area in pixels that pictures are trained at, each in the shape nearest to its own.",
        minimum=256,
        maximum=1024,
        multiple_of=64,
    )
    lora_rank: int = _option(16, "Rank of the adapter: its capacity and file size.", minimum=4, maximum=128)
    lora_alpha: int = _option(
        32, "Scale of the adapter: its effect is multiplied by alpha / rank.", minimum=1, maximum=128
    )
    seed: int = _option(
        42, "Seed of noise, order and dropout; the same seed repeats a run.", minimum=0, maximum=2**32 - 1
    )
    lr_scheduler: str = _option(
        "constant",
        "Shape of the learning rate over the run.",
        choices=("constant", "constant_with_warmup", "cosine"),
    )
    lr_warmup_steps: int = _option(0, "Steps until the peak learning rate.", minimum=0, maximum=10_000)
    optimizer: str = _option(
        "adamw",
        "Optimizer; adamw8bit needs less memory (where the image has it), prodigy finds its learning rate itself.",
        choices=("adamw", "adamw8bit", "prodigy"),
    )
    ema_decay: float | None = _option(
        None, "Export a running average of the adapter with this decay; none when null.", minimum=0.9, maximum=0.9999
    )
    gradient_accumulation_steps: int = _option(1, "Batches added up before one optimizer step.", minimum=1, maximum=64)
    gradient_checkpointing: bool = _option(
        default=False, description="Recompute activations: less memory, about half as fast again."
    )
    mixed_precision: str = _option(
        "auto",
        "Precision of the frozen model; auto is bf16 on a GPU and fp32 without.",
        choices=("auto", "no", "bf16"),
    )
    min_snr_gamma: float | None = _option(
        None, "Min-SNR loss weighting (arXiv:2303.09556); off when null.", minimum=0.1, maximum=20
    )
    noise_offset: float = _option(0.0, "Offset noise for darker and lighter pictures; 0 is off.", minimum=0, maximum=1)
    caption_dropout: float = _option(0.05, "Share of steps trained without a caption.", minimum=0, maximum=1)
    horizontal_flip: bool = _option(
        default=False, description="Mirror every other sample; not for faces, text or anything else with a side."
    )
    train_val_split: float = _option(0.1, "Share of the images held out for validation.", minimum=0, maximum=0.5)
    validation_every: int | None = _option(
        None, "Steps between validations; null validates before and after only.", minimum=1, maximum=10_000
    )
    sample_prompts: tuple[str, ...] = _option(
        (),
        "Prompts of the sample pictures; empty takes one from the dataset.",
        maximum=8,
        max_text_length=500,
    )
    sample_every: int | None = _option(
        None, "Steps between sample pictures; null draws them before and after only.", minimum=1, maximum=10_000
    )
    checkpoint_every: int = _option(500, "Steps between checkpoints.", minimum=1, maximum=10_000)
    keep_checkpoints: int = _option(2, "Checkpoints kept; older ones are deleted.", minimum=1, maximum=20)
    early_stopping_patience: int | None = _option(
        None, "Validations without improvement before stopping; off when null.", minimum=1, maximum=100
    )
    prior_preservation: bool = _option(
        default=False,
        description="With type dreambooth: train on pictures of the class as the base model draws them, "
        "so that the class keeps its look (arXiv:2208.12242).",
    )
    class_prompt: str | None = _option(
        None, "What the class images show, without the trigger words; for prior_preservation.", max_text_length=500
    )
    class_images: int = _option(100, "Class images the base model draws before training.", minimum=1, maximum=1000)
    prior_loss_weight: float = _option(
        1.0, "Weight of the loss on class images beside the loss on the dataset.", minimum=0, maximum=10
    )
    text_encoder_lora: bool = _option(
        default=False,
        description="Train pairs in the CLIP text encoders too, which learn what the words mean; takes more time and "
        "memory. Stable Diffusion 1.x and SDXL only.",
    )

    def train_val_counts(self, item_count: int) -> tuple[int, int]:
        """(trained on, held out) of a dataset of `item_count` pictures: the trainer's own rule."""
        held_out = int(item_count * self.train_val_split) if item_count >= MIN_ITEMS_FOR_A_SPLIT else 0
        return item_count - held_out, held_out

    def total_epochs(self, train_count: int) -> int:
        """Passes over the training pictures, the last one counted in full."""
        samples = self.steps * self.batch_size * self.gradient_accumulation_steps
        return math.ceil(samples / train_count)

    def as_params(self) -> dict[str, Any]:
        """Plain values for JSON, every key present."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> TrainingConfig:
        """The config in already validated `params`; missing keys take their defaults."""
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in params.items()
        }
        return cls(**known)


def options() -> dict[str, tuple[dataclasses.Field[Any], Option]]:
    """Every option by name, in the order users read them."""
    return {field.name: (field, field.metadata["option"]) for field in dataclasses.fields(TrainingConfig)}
