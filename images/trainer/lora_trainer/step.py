"""One optimizer step: which images, which noise, forward, backward, clip, update."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Parameter

from lora_trainer.cache import Batch, Encoded, replace_dropped
from lora_trainer.config import TrainingParams
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.objective import (
    add_noise,
    draw,
    generator,
    learning_rate,
    sample_weights,
    squared_error,
    target,
)
from lora_trainer.order import Order

MAX_GRADIENT_NORM = 1.0
WEIGHT_DECAY = 1e-2


@dataclass(frozen=True, slots=True)
class StepResult:
    """Tensors still on the device: reading a number from a GPU makes the host wait for it."""

    loss: Tensor
    gradient_norm: Tensor  # before clipping
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Source:
    """Pictures that every step takes a batch of."""

    name: str  # of its random draws
    data: Encoded
    weight: float  # of its loss
    caption_dropout: float


class Stepper:
    def __init__(
        self,
        family: Family,
        parameters: dict[str, Parameter],
        sources: Sequence[Source],
        empty: Conditioning,
        params: TrainingParams,
    ) -> None:
        self.parameters = parameters
        self.optimizer = torch.optim.AdamW(list(parameters.values()), weight_decay=WEIGHT_DECAY, fused=True)
        self._family = family
        self._sources = sources
        self._empty = empty
        self._params = params
        samples_a_step = params.batch_size * params.gradient_accumulation_steps
        self._orders = [Order(params.seed, source.name, source.data.sizes, samples_a_step) for source in sources]

    def __call__(self, step: int) -> StepResult:
        params = self._params
        rate = learning_rate(
            step,
            peak=params.learning_rate,
            kind=params.lr_scheduler,
            warmup=params.lr_warmup_steps,
            steps=params.steps,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = torch.tensor(0.0)
        for source, order in zip(self._sources, self._orders, strict=True):
            shelf, items = order.at(step)
            for part in range(params.gradient_accumulation_steps):
                chosen = items[part * params.batch_size :][: params.batch_size]
                loss = loss + self._backward(source, shelf, chosen, step, part)
        # A list, not a generator: clipping an exhausted generator does nothing and says nothing.
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), MAX_GRADIENT_NORM)
        self.optimizer.step()
        return StepResult(loss=loss, gradient_norm=norm, learning_rate=rate)

    def _backward(self, source: Source, shelf: int, items: list[int], step: int, part: int) -> Tensor:
        """Add one micro-batch's share to the gradients; returns its share of the step's loss."""
        seed, data = self._params.seed, source.data
        coins = generator(seed, "flip", source.name, step, part)
        variants: list[int] = torch.randint(data.variants, (len(items),), generator=coins).tolist()
        noise = generator(seed, "noise", source.name, step, part)
        loss = self._loss(data.batch(shelf, items, variants), noise, source.caption_dropout)
        share = source.weight * loss / self._params.gradient_accumulation_steps
        share.backward()
        return share.detach()

    def _loss(self, batch: Batch, randomness: torch.Generator, caption_dropout: float) -> Tensor:
        schedule, params = self._family.schedule, self._params
        drawn = draw(
            randomness,
            batch.mean.shape,
            timesteps=len(schedule),
            noise_offset=params.noise_offset,
            caption_dropout=caption_dropout,
        ).to(batch.mean.device)
        latents = batch.mean + batch.std * drawn.posterior
        conditioning = replace_dropped(batch.conditioning, self._empty, drawn.drops_caption)
        noisy = add_noise(schedule, latents, drawn.noise, drawn.timesteps)
        prediction = self._family.predict(self._family.denoiser, noisy, drawn.timesteps, conditioning)
        errors = squared_error(prediction, target(schedule, latents, drawn.noise, drawn.timesteps))
        return (sample_weights(schedule, drawn.timesteps, params.min_snr_gamma) * errors).mean()
