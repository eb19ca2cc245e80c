"""One optimizer step: which images, which noise, forward, backward, clip, update."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import Parameter

from lora_trainer.cache import Encoded, replace_dropped, take
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

MAX_GRADIENT_NORM = 1.0
WEIGHT_DECAY = 1e-2


@dataclass(frozen=True, slots=True)
class StepResult:
    """Tensors still on the device: reading a number from a GPU makes the host wait for it."""

    loss: Tensor
    gradient_norm: Tensor  # before clipping
    learning_rate: float


class Stepper:
    def __init__(
        self,
        family: Family,
        parameters: dict[str, Parameter],
        data: Encoded,
        empty: Conditioning,
        params: TrainingParams,
    ) -> None:
        self.parameters = parameters
        self.optimizer = torch.optim.AdamW(list(parameters.values()), weight_decay=WEIGHT_DECAY, fused=True)
        self._family = family
        self._data = data
        self._empty = empty
        self._params = params

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
        loss = sum(
            (self._backward(step, part) for part in range(params.gradient_accumulation_steps)), torch.tensor(0.0)
        )
        # A list, not a generator: clipping an exhausted generator does nothing and says nothing.
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), MAX_GRADIENT_NORM)
        self.optimizer.step()
        return StepResult(loss=loss, gradient_norm=norm, learning_rate=rate)

    def _backward(self, step: int, part: int) -> Tensor:
        """Add one micro-batch's share to the gradients; returns its share of the step's loss."""
        size, parts = self._params.batch_size, self._params.gradient_accumulation_steps
        first = ((step - 1) * parts + part) * size
        chosen = batch_indices(self._params.seed, first, size, len(self._data))
        loss = self._loss(chosen, generator(self._params.seed, "noise", step, part))
        share = loss / parts
        share.backward()
        return share.detach()

    def _loss(self, chosen: list[int], source: torch.Generator) -> Tensor:
        schedule, data, params = self._family.schedule, self._data, self._params
        mean, std = data.mean[chosen], data.std[chosen]
        drawn = draw(
            source,
            mean.shape,
            timesteps=len(schedule),
            noise_offset=params.noise_offset,
            caption_dropout=params.caption_dropout,
        ).to(mean.device)
        latents = mean + std * drawn.posterior
        conditioning = replace_dropped(take(data.conditioning, chosen), self._empty, drawn.drops_caption)
        noisy = add_noise(schedule, latents, drawn.noise, drawn.timesteps)
        prediction = self._family.predict(self._family.denoiser, noisy, drawn.timesteps, conditioning)
        errors = squared_error(prediction, target(schedule, latents, drawn.noise, drawn.timesteps))
        return (sample_weights(schedule, drawn.timesteps, params.min_snr_gamma) * errors).mean()


def batch_indices(seed: int, first: int, count: int, items: int) -> list[int]:
    """Samples first..first+count of an endless stream: epoch after epoch, each in a shuffled order of its own."""
    return [_epoch_order(seed, position // items, items)[position % items] for position in range(first, first + count)]


@lru_cache(maxsize=4)
def _epoch_order(seed: int, epoch: int, items: int) -> list[int]:
    order: list[int] = torch.randperm(items, generator=generator(seed, "order", epoch)).tolist()
    return order
