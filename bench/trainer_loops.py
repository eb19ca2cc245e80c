"""Two loops that train the same LoRA on the same pictures: the trainer's own, and a plain one.

The plain one does in every step what diffusers' train_text_to_image_lora.py does: read the picture, encode it and its
caption, peft's layers, a call for every operation, torch's default AdamW, and one look at the loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from safetensors.torch import save_file
from torch.nn.functional import mse_loss
from transformers import CLIPTextModel, CLIPTokenizer

from lora_trainer import adapter
from lora_trainer.config import JobConfig, TrainingParams
from lora_trainer.events import EventLog
from lora_trainer.export import diffusers_tensors
from lora_trainer.families.sd15 import StableDiffusion
from lora_trainer.preflight import inspect_dataset
from lora_trainer.preprocess import Job, preprocess
from lora_trainer.step import Stepper
from lora_trainer.stop import StopRequest

RANK = ALPHA = 16
RATE = 1e-4
TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Task:
    model: Path
    pictures: Path
    outputs: Path
    resolution: int
    batch_size: int


class Loop(Protocol):
    def step(self, number: int) -> None: ...

    def save(self, path: Path) -> None: ...


class Ours:
    """The trainer's own parts in the order of its phases, without evaluation and samples, which the other has not."""

    def __init__(self, task: Task) -> None:
        params = TrainingParams(
            resolution=task.resolution,
            batch_size=task.batch_size,
            lora_rank=RANK,
            lora_alpha=ALPHA,
            learning_rate=RATE,
            mixed_precision="no",
            train_val_split=0.0,
        )
        config = _config(task, params)
        items = inspect_dataset(task.pictures)
        self._family = StableDiffusion.load(task.model, device=CPU, dtype=torch.float32)
        prepared = preprocess(Job(config, EventLog(task.outputs), StopRequest()), self._family, items)
        self._adapter = adapter.attach(self._family, rank=RANK, alpha=ALPHA, seed=params.seed)
        self._family.denoiser.train()
        self._stepper = Stepper(
            self._family, self._adapter.weights, prepared.sources(params), prepared.empty, params, recorder=None
        )

    def step(self, number: int) -> None:
        self._stepper(number)

    def save(self, path: Path) -> None:
        save_file(diffusers_tensors(self._adapter.pairs, ALPHA / RANK), path)


class Plain:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._captions = sorted(task.pictures.glob("*.txt"))
        self._tokenizer = CLIPTokenizer.from_pretrained(task.model, subfolder="tokenizer")
        parts = {"text_encoder": CLIPTextModel, "vae": AutoencoderKL, "unet": UNet2DConditionModel}
        loaded = {name: kind.from_pretrained(task.model, subfolder=name).float() for name, kind in parts.items()}
        for part in loaded.values():
            part.requires_grad_(requires_grad=False)
        self._text_encoder, self._vae, self._unet = loaded.values()
        self._scheduler = DDPMScheduler.from_pretrained(task.model, subfolder="scheduler")
        self._unet.add_adapter(
            LoraConfig(r=RANK, lora_alpha=ALPHA, init_lora_weights="gaussian", target_modules=TARGETS)
        )
        self._unet.train()
        self._trained = [parameter for parameter in self._unet.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(self._trained, lr=RATE, weight_decay=1e-2)
        self.losses: list[float] = []

    def step(self, number: int) -> None:
        size = self._task.batch_size
        chosen = [self._captions[index % len(self._captions)] for index in range(number * size, (number + 1) * size)]
        pixels = torch.stack([self._pixels(caption.with_suffix(".png")) for caption in chosen])
        texts = [caption.read_text(encoding="utf-8") for caption in chosen]
        tokens = self._tokenizer(texts, max_length=77, padding="max_length", truncation=True, return_tensors="pt")
        latents = self._vae.encode(pixels).latent_dist.sample() * self._vae.config.scaling_factor
        noise = torch.randn_like(latents)
        timesteps = torch.randint(0, self._scheduler.config.num_train_timesteps, (size,))
        noisy = self._scheduler.add_noise(latents, noise, timesteps)
        text = self._text_encoder(tokens.input_ids, return_dict=False)[0]
        prediction = self._unet(noisy, timesteps, text, return_dict=False)[0]
        loss = mse_loss(prediction.float(), noise.float(), reduction="mean")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._trained, 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.losses.append(loss.detach().item())

    def save(self, path: Path) -> None:
        save_file(get_peft_model_state_dict(self._unet), path)

    def _pixels(self, path: Path) -> torch.Tensor:
        side = self._task.resolution
        picture = Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
        return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)


def _config(task: Task, params: TrainingParams) -> JobConfig:
    return JobConfig(
        v=1,
        job_id="11111111-1111-4111-8111-111111111111",
        attempt=1,
        name="bench",
        type="lora",
        dataset_path=str(task.pictures),
        base_model="bench/model",
        base_model_path=str(task.model),
        base_model_revision="1",
        output_path=str(task.outputs),
        device="cpu",
        trigger_words=(),
        training_params=params,
        lineage={},
    )
