"""One optimizer step: which images, which noise, forward, backward, clip, update."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lora_trainer.cache import Encoded, replace_dropped
from lora_trainer.config import TrainingParams
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.graph import Inputs, Outputs, Recorder, Replayed
from lora_trainer.objective import (
    Draw,
    add_noise,
    averaging_share,
    draw,
    generator,
    learning_rate,
    sample_weights,
    squared_error,
    target,
)
from lora_trainer.order import Order
from lora_trainer.team import ALONE, Step, TakeOver, Team
from lora_trainer.updater import build_updater
from lora_trainer.weights import Weights, gradient_of

MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True, slots=True)
class StepResult:
    """Tensors still on the device: reading a number from a GPU makes the host wait for it."""

    loss: Tensor
    gradient_norm: Tensor  # before clipping
    learning_rate: float | Tensor


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
        weights: Weights,
        sources: Sequence[Source],
        empty: Conditioning,
        params: TrainingParams,
        *,
        recorder: Recorder | None,
        team: Team = ALONE,
    ) -> None:
        device = weights.row.device
        self.weights = weights
        self.rate_factor = 1.0  # of the learning rate, smaller after a roll-back
        self.average: Tensor | None = None if params.ema_decay is None else weights.row.detach().clone()
        self._rate = torch.zeros((), device=device)
        self._averaging_share = torch.zeros((), device=device)
        self.updater = build_updater(params.optimizer, weights.row, self._rate)
        self._family = family
        self._sources = sources
        self._empty = empty
        self._params = params
        self._team = team
        samples_a_step = params.batch_size * params.gradient_accumulation_steps * team.size
        self._orders = [Order(params.seed, source.name, source.data.sizes, samples_a_step) for source in sources]
        self._run = Replayed(self._compute, recorder)

    def __call__(self, step: int) -> StepResult:
        params = self._params
        self._team.tell(Step(step, self.rate_factor))
        rate = self.rate_factor * learning_rate(
            step,
            peak=1.0 if params.optimizer == "prodigy" else params.learning_rate,
            kind=params.lr_scheduler,
            warmup=params.lr_warmup_steps,
            steps=params.steps,
        )
        self._rate.fill_(rate)
        if params.ema_decay is not None:
            self._averaging_share.fill_(averaging_share(step, params.ema_decay))
        loss, norm = self._run(self._gather(step))
        return StepResult(loss, norm, self.updater.step_size(rate))

    def lead(self) -> None:
        """Bring the team to where this run is."""
        self._team.tell(TakeOver())
        self.take_over()

    def take_over(self) -> None:
        average = [] if self.average is None else [self.average]
        self._team.hand_over([self.weights.row.detach(), *self.updater.state.values(), *average])
        self.weights.refresh()

    def reset(self) -> None:
        """Begin at the weights as they are."""
        self.updater.reset()
        if self.average is not None:
            self.average.copy_(self.weights.row.detach())

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within, the network has the weights that the run would end with now: their average, where one is kept."""
        if self.average is None:
            yield
        else:
            with self.weights.showing(self.average):
                yield

    def _gather(self, step: int) -> Inputs:
        """What the step reads, on the device, each source's micro-batches in turn."""
        params = self._params
        inputs = []
        for source, order in zip(self._sources, self._orders, strict=True):
            shelf, items = order.at(step)
            # As if one process accumulated them all: the first parts are the leader's.
            first = self._team.rank * params.gradient_accumulation_steps
            for part in range(first, first + params.gradient_accumulation_steps):
                chosen = items[part * params.batch_size :][: params.batch_size]
                inputs.append(self._micro_batch(source, shelf, chosen, step, part))
        return inputs

    def _micro_batch(self, source: Source, shelf: int, items: list[int], step: int, part: int) -> dict[str, Tensor]:
        seed, data = self._params.seed, source.data
        coins = generator(seed, "flip", source.name, step, part)
        variants: list[int] = torch.randint(data.variants, (len(items),), generator=coins).tolist()
        batch = data.batch(shelf, items, variants)
        drawn = draw(
            generator(seed, "noise", source.name, step, part),
            batch.mean.shape,
            timesteps=len(self._family.schedule),
            noise_offset=self._params.noise_offset,
            caption_dropout=source.caption_dropout,
        ).to(batch.mean.device)
        draws = {field.name: getattr(drawn, field.name) for field in fields(Draw)}
        return batch.conditioning | draws | {"mean": batch.mean, "std": batch.std}

    def _compute(self, inputs: Inputs) -> Outputs:
        """All of the step's work on the device, without a look at any number: a graph can hold it."""
        self.weights.forget_gradients()
        parts = self._params.gradient_accumulation_steps
        loss = torch.stack(
            [
                self._backward(micro_batch, self._sources[index // parts].weight / parts)
                for index, micro_batch in enumerate(inputs)
            ]
        ).sum()
        self._team.average(gradient_of(self.weights.row))
        self._team.average(loss)
        # A list, not a generator: clipping an exhausted generator does nothing and says nothing.
        norm = torch.nn.utils.clip_grad_norm_([self.weights.row], MAX_GRADIENT_NORM)
        self.updater.update()
        self.weights.refresh()
        if self.average is not None:
            self.average.lerp_(self.weights.row.detach(), self._averaging_share)
        return loss, norm

    def _backward(self, micro_batch: dict[str, Tensor], share: float) -> Tensor:
        """Add its share to the gradients; returns its share of the step's loss."""
        loss = share * self._loss(dict(micro_batch))
        loss.backward()
        self.weights.gather_gradients()
        return loss.detach()

    def _loss(self, given: dict[str, Tensor]) -> Tensor:
        schedule = self._family.schedule
        drawn = Draw(**{field.name: given.pop(field.name) for field in fields(Draw)})
        latents = given.pop("mean") + given.pop("std") * drawn.posterior
        conditioning = replace_dropped(given, self._empty, drawn.drops_caption)
        noisy = add_noise(schedule, latents, drawn.noise, drawn.timesteps)
        prediction = self._family.predict(noisy, drawn.timesteps, conditioning)
        errors = squared_error(prediction, target(schedule, latents, drawn.noise, drawn.timesteps))
        return (sample_weights(schedule, drawn.timesteps, self._params.min_snr_gamma) * errors).mean()
