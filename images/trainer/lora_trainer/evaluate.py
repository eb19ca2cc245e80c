"""Is it learning? Loss on fixed noise, early stopping by it, and sample pictures."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lora_trainer.cache import Encoded, take
from lora_trainer.errors import ADVICE, NotFinite
from lora_trainer.events import Events
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.files import writing
from lora_trainer.objective import add_noise, generator, squared_error, target
from lora_trainer.step import StepResult

# The raw training loss mostly shows which timestep was drawn. These stay the same: only the model changes the number.
TIMESTEP_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
MAX_ITEMS = 16
SAMPLER_STEPS = 20


@torch.no_grad()
def fixed_noise_loss(family: Family, data: Encoded) -> float:
    """Mean unweighted loss over up to 16 images at five timesteps, each with noise of its own that never changes."""
    # By content hash: a choice among all shapes that another order of the same pictures does not change.
    places = sorted((key, shelf, item) for shelf, kept in enumerate(data.shelves) for item, key in enumerate(kept.keys))
    losses = [_item_loss(family, data, *place) for place in places[:MAX_ITEMS]]
    loss = float(torch.stack(losses).mean())
    if not math.isfinite(loss):
        raise NotFinite(f"the loss on fixed noise is not finite; {ADVICE}")
    return loss


def _item_loss(family: Family, data: Encoded, key: str, shelf: int, item: int) -> Tensor:
    count = len(TIMESTEP_SHARES)
    batch = data.batch(shelf, [item] * count, [0] * count)
    latents = batch.mean
    noise = torch.randn(latents.shape, generator=generator(0, "evaluation", key)).to(latents.device)
    timesteps = torch.tensor([int(share * len(family.schedule)) for share in TIMESTEP_SHARES], device=latents.device)
    noisy = add_noise(family.schedule, latents, noise, timesteps)
    prediction = family.predict(noisy, timesteps, batch.conditioning)
    return squared_error(prediction, target(family.schedule, latents, noise, timesteps)).mean()


@dataclass(slots=True)
class EarlyStopping:
    """Without patience it never stops and keeps nothing."""

    patience: int | None
    best_loss: float | None = None
    misses: int = 0  # validations since the best one
    best: dict[str, Tensor] = field(default_factory=dict)  # the adapter at its best

    def note(self, loss: float, weights: Callable[[], dict[str, Tensor]]) -> None:
        if self.patience is None:
            return
        if self.best_loss is None or loss < self.best_loss:
            self.best_loss, self.misses, self.best = loss, 0, weights()
        else:
            self.misses += 1

    def is_over(self) -> bool:
        return self.patience is not None and self.misses >= self.patience

    def facts(self) -> dict[str, Any]:
        return {"best_loss": self.best_loss, "misses": self.misses}

    def resume(self, facts: Mapping[str, Any], best: dict[str, Tensor]) -> None:
        self.best_loss, self.misses, self.best = facts["best_loss"], facts["misses"], best

    def be_patient_again(self) -> None:
        """Count misses anew; the best so far stays the one to beat."""
        self.misses = 0

    def restart(self) -> None:
        self.best_loss, self.misses, self.best = None, 0, {}


class Validator:
    """Callback: the loss on fixed noise every so many steps."""

    def __init__(self, measure: Callable[[], float], every: int | None, note: Callable[[float], None]) -> None:
        self._measure = measure
        self._every = every
        self._note = note
        self._last: tuple[int, float] | None = None

    def __call__(self, step: int, _result: StepResult) -> None:
        if self._every and step % self._every == 0:
            self._last = (step, self._measure())
            self._note(self._last[1])

    def val_loss_at(self, step: int) -> float | None:
        return self._last[1] if self._last and self._last[0] == step else None


class Sampler:
    """Callback: a picture for each prompt, with the same seed every time so that they can be compared."""

    def __init__(
        self,
        family: Family,
        events: Events,
        outputs: Path,
        *,
        prompts: list[str],
        conditioning: Conditioning,
        empty: Conditioning,
        seed: int,
        resolution: int,
        every: int | None,
        score: Callable[[Tensor, str], float] | None = None,
    ) -> None:
        """`score` says how well a picture shows its prompt."""
        self._family = family
        self._events = events
        self._outputs = outputs
        self.prompts = prompts
        self._conditioning = conditioning
        self._empty = empty
        self._seed = seed
        self._resolution = resolution
        self._every = every
        self._score = score

    def __call__(self, step: int, _result: StepResult) -> None:
        if self._every and step % self._every == 0:
            self.make_all(step)

    def paths(self, step: int) -> list[str]:
        """Of the pictures of a step, relative to the outputs."""
        return [f"samples/step-{step:06d}-{index}.png" for index in range(len(self.prompts))]

    def make_all(self, step: int) -> None:
        (self._outputs / "samples").mkdir(exist_ok=True)
        for index, (prompt, path) in enumerate(zip(self.prompts, self.paths(step), strict=True)):
            picture = self.make(self._family, index, SAMPLER_STEPS)
            with writing(self._outputs / path):
                save_picture(picture, self._outputs / path)
            score = {"clip_score": round(self._score(picture, prompt), 4)} if self._score else {}
            self._events.emit("sample", step=step, path=path, prompt=prompt, seed=self._seed, **score)

    def make(self, family: Family, index: int, sampler_steps: int) -> Tensor:
        """`family` may be another copy of the sampler's own."""
        return family.sample(
            take(self._conditioning, [index]),
            self._empty,
            seed=self._seed,
            resolution=self._resolution,
            steps=sampler_steps,
        )


def save_picture(picture: Tensor, path: Path) -> None:
    """`picture` is (h, w, 3) in 0..1."""
    Image.fromarray((picture.numpy() * 255).round().astype(np.uint8)).save(path)
