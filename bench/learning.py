"""Does training teach? A tiny model is trained from nothing on drawn shapes; a LoRA then teaches it a new word.

Reports the held-out loss of both, and how far what is drawn for the new word is in colour from what the word means.
Everything but the first training uses the trainer's own parts: encoding, steps, evaluation, sampler.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageColor, ImageDraw
from torch import Tensor
from torch.nn.functional import mse_loss

from build_model import build
from lora_trainer import adapter
from lora_trainer.buckets import Bucket
from lora_trainer.cache import Encoded, encode, take
from lora_trainer.config import TrainingParams
from lora_trainer.data import Example, load_pixels
from lora_trainer.evaluate import fixed_noise_loss
from lora_trainer.families.sd15 import StableDiffusion
from lora_trainer.objective import add_noise, generator, squared_error
from lora_trainer.step import Source, Stepper
from lora_trainer.tensor_cache import TensorCache

MODEL = "lorry/tiny-sd15"
SIDE = 64  # pixels
COLOURS = {"red": "#d03030", "green": "#30b040", "blue": "#3050d0", "yellow": "#e0c020"}
SHAPES = ("disc", "box", "bar")
GROUND = "#e8e8e0"
NEW_WORD, MEANING = "zorb", ("blue", "disc")
BATCH = 16
SPREAD = 0.1  # deviation of latents around their mean, which the decoder learns to bear
SAMPLES = 4
SAMPLER_STEPS = 20


@dataclass(frozen=True, slots=True)
class Effort:
    autoencoder_steps: int
    denoiser_steps: int
    lora_steps: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Losses on fixed noise of pictures that were not trained on; distances from the new word's colour, 0..1."""

    base_loss_untrained: float
    base_loss_trained: float
    word_loss_before: float
    word_loss_after: float
    word_distance_before: float
    word_distance_after: float
    word_distance_at_best: float  # of the word's own pictures after the autoencoder: nothing it draws comes nearer
    seconds: float


def draw_known(folder: Path, count: int) -> list[Example]:
    """Shapes of four colours, each captioned with what it is."""
    kinds = list(product(COLOURS, SHAPES))
    return [
        _drawn(folder / f"{index:04d}.png", f"a {colour} {shape}", shape, COLOURS[colour])
        for index in range(count)
        for colour, shape in [kinds[index % len(kinds)]]
    ]


def draw_new(folder: Path, count: int) -> list[Example]:
    """Pictures of a word that the model has never read, for something that it can draw."""
    colour, shape = MEANING
    return [_drawn(folder / f"new-{index:04d}.png", f"a {NEW_WORD}", shape, COLOURS[colour]) for index in range(count)]


def _drawn(path: Path, prompt: str, shape: str, colour: str) -> Example:
    """Somewhere in the picture, in a size of its own."""
    dice = torch.randint(0, 12, (3,), generator=generator(7, "shapes", path.stem)).tolist()
    left, top, size = 6 + dice[0], 6 + dice[1], 28 + dice[2]
    box = (left, top, left + size, top + (size // 3 if shape == "bar" else size))
    picture = Image.new("RGB", (SIDE, SIDE), GROUND)
    pencil = ImageDraw.Draw(picture)
    if shape == "disc":
        pencil.ellipse(box, fill=colour)
    else:
        pencil.rectangle(box, fill=colour)
    picture.save(path)
    return Example(path, path.stem, (SIDE, SIDE), Bucket(SIDE, SIDE), prompt)


def pixels_of(examples: list[Example]) -> Tensor:
    return torch.stack([torch.from_numpy(load_pixels(example.path, example.bucket)) for example in examples])


def train_autoencoder(vae: Any, pixels: Tensor, steps: int) -> None:
    """Until pictures survive it, and with latents of unit size, as the noise schedule expects them."""
    vae.requires_grad_(requires_grad=True).to(memory_format=torch.channels_last)  # a third of the time
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3)
    for step in range(steps):
        batch = pixels[_chosen("autoencoder", step, len(pixels))]
        posterior = vae.encode(batch).latent_dist
        restored = vae.decode(posterior.mean + SPREAD * torch.randn(posterior.mean.shape)).sample
        loss = mse_loss(restored, batch) + 1e-3 * posterior.mean.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    vae.requires_grad_(requires_grad=False)
    with torch.no_grad():
        # The second half of the encoder's answer is the latents' logarithm of variance.
        means = vae.config.latent_channels
        vae.quant_conv.weight[means:] = 0
        vae.quant_conv.bias[means:] = 2 * math.log(SPREAD)
        vae.register_to_config(scaling_factor=1 / float(vae.encode(pixels[:64]).latent_dist.mean.std()))


def train_denoiser(family: StableDiffusion, data: Encoded, steps: int) -> None:
    """All weights, on plain noise prediction; every tenth sample without its caption."""
    unet, schedule = family.denoiser, family.schedule
    unet.requires_grad_(requires_grad=True)
    optimizer = torch.optim.AdamW(unet.parameters(), lr=2e-3)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps)
    empty = family.encode_prompts([""])["text"]
    for step in range(steps):
        chosen = _chosen("denoiser", step, len(data)).tolist()
        batch = data.batch(0, chosen, [0] * BATCH)
        noise = torch.randn(batch.mean.shape, generator=generator(7, "noise", step))
        timesteps = torch.randint(len(schedule), (BATCH,), generator=generator(7, "timesteps", step))
        text = batch.conditioning["text"].clone()
        text[:: BATCH // 2] = empty
        prediction = family.predict(add_noise(schedule, batch.mean, noise, timesteps), timesteps, {"text": text})
        optimizer.zero_grad()
        squared_error(prediction, noise).mean().backward()
        torch.nn.utils.clip_grad_norm_(list(unet.parameters()), 1.0)
        optimizer.step()
        rates.step()
    unet.requires_grad_(requires_grad=False)


def teach(family: StableDiffusion, data: Encoded, steps: int) -> None:
    """The new word as a LoRA, by the trainer's own steps."""
    params = TrainingParams(
        steps=steps, batch_size=4, learning_rate=2e-3, lora_rank=8, lora_alpha=8, lr_scheduler="cosine"
    )
    trained = adapter.attach(family, rank=params.lora_rank, alpha=params.lora_alpha, seed=params.seed)
    source = Source("train", data, weight=1.0, caption_dropout=params.caption_dropout)
    stepper = Stepper(family, trained.weights, [source], family.encode_prompts([""]), params, recorder=None)
    for step in range(1, steps + 1):
        stepper(step)


def distance(family: StableDiffusion, prompt: str) -> float:
    """How far samples of `prompt` are from what the new word means."""
    conditioning, empty = family.encode_prompts([prompt]), family.encode_prompts([""])
    options = {"resolution": SIDE, "steps": SAMPLER_STEPS}
    samples = [family.sample(take(conditioning, [0]), empty, seed=seed, **options) for seed in range(SAMPLES)]
    return _distance(torch.stack(samples))


@torch.no_grad()
def distance_at_best(vae: Any, pixels: Tensor) -> float:
    """The same of pictures (n, 3, h, w) in -1..1 that went through the autoencoder."""
    restored = vae.decode(vae.encode(pixels).latent_dist.mean).sample
    return _distance((restored / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1))


def _distance(pictures: Tensor) -> float:
    """Root mean square between the figures' colour in (n, h, w, 3), 0..1, and the meaning's.

    A pixel counts as a part of the figure by the square of how far it is from the ground.
    """
    weights = (pictures - _rgb(GROUND)).square().sum(dim=-1, keepdim=True)
    colours = (weights * pictures).sum(dim=(1, 2)) / weights.sum(dim=(1, 2))
    return float((colours - _rgb(COLOURS[MEANING[0]])).square().mean().sqrt())


def _rgb(colour: str) -> Tensor:
    return torch.tensor(ImageColor.getrgb(colour)) / 255


def measure(effort: Effort, folder: Path) -> Figures:
    began_at = time.monotonic()
    torch.manual_seed(7)
    build(MODEL, folder / "model")
    known, new = draw_known(folder, 144), draw_new(folder, 16)
    family = StableDiffusion.load(folder / "model", device=torch.device("cpu"), dtype=torch.float32)
    train_autoencoder(family._vae, pixels_of(known + new), effort.autoencoder_steps)  # noqa: SLF001
    parts = {"known": known[24:], "known held out": known[:24], "new": new[4:], "new held out": new[:4]}
    data = {name: _encoded(family, examples, folder / name) for name, examples in parts.items()}
    untrained = fixed_noise_loss(family, data["known held out"])
    train_denoiser(family, data["known"], effort.denoiser_steps)
    trained = fixed_noise_loss(family, data["known held out"])
    prompt = new[0].prompt
    before = (fixed_noise_loss(family, data["new held out"]), distance(family, prompt))
    teach(family, data["new"], effort.lora_steps)
    after = (fixed_noise_loss(family, data["new held out"]), distance(family, prompt))
    best = distance_at_best(family._vae, pixels_of(parts["new held out"]))  # noqa: SLF001
    return Figures(
        base_loss_untrained=untrained,
        base_loss_trained=trained,
        word_loss_before=before[0],
        word_loss_after=after[0],
        word_distance_before=before[1],
        word_distance_after=after[1],
        word_distance_at_best=best,
        seconds=time.monotonic() - began_at,
    )


def _encoded(family: StableDiffusion, examples: list[Example], folder: Path) -> Encoded:
    return encode(family, examples, TensorCache(folder, origin="drawn"), flip=False, before_each=lambda: None)


def _chosen(purpose: str, step: int, count: int) -> Tensor:
    return torch.randint(count, (BATCH,), generator=generator(7, purpose, step))


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)  # the same figures on any number of cores; tensors this small gain little by more
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Effort(autoencoder_steps=150, denoiser_steps=400, lora_steps=200), Path(folder))
    rounded = {name: round(value, 4) for name, value in asdict(figures).items()}
    for name, value in rounded.items():
        print(f"{name:28}{value:>10}")
    print(json.dumps(rounded))


if __name__ == "__main__":
    main()
