"""CLIP's text encoders, with which the Stable Diffusion families read prompts: frozen, or adapted like the UNet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.families.family import Network
from lora_trainer.families.loading import load_part, load_tokenizer

TOKENS = 77  # CLIP's context
# As in diffusers' train_text_to_image_lora_sdxl.py; kohya's sd-scripts adapt the feed-forward layers as well.
TARGET_MODULES = r".*\.self_attn\.(q_proj|k_proj|v_proj|out_proj)"
INNER_MODEL = "text_model"  # what every reader of adapter files has before a layer's path


@dataclass(frozen=True, slots=True)
class TextEncoder:
    part: str  # its folder in the base model
    model: Any
    tokenizer: Any
    kohya_prefix: str  # of its layers' keys in the main adapter file

    @classmethod
    def load(
        cls, model_class: Any, folder: Path, part: str, kohya_prefix: str, *, device: torch.device, dtype: torch.dtype
    ) -> Self:
        model = load_part(model_class, folder, part, device, dtype=dtype)
        tokenizer = _load_tokenizer(folder, part.replace("text_encoder", "tokenizer"), model.config.vocab_size)
        return cls(part, model, tokenizer, kohya_prefix)

    def tokenize(self, prompts: list[str]) -> Tensor:
        """(n, 77) token ids."""
        encoded = self.tokenizer(prompts, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt")
        ids: Tensor = encoded.input_ids.to(self.model.device)
        return ids

    @property
    def network(self) -> Network:
        # transformers 5 lifted the inner model out of one of the two classes; adapter files know of no such thing.
        is_lifted = not hasattr(self.model, INNER_MODEL)
        prefix = f"{self.part}.{INNER_MODEL}" if is_lifted else self.part
        return Network(self.model, TARGET_MODULES, prefix, self._kohya_key)

    def _kohya_key(self, module: str) -> str:
        path = module.removeprefix(f"{INNER_MODEL}.")
        return f"{self.kohya_prefix}_{INNER_MODEL}_{path.replace('.', '_')}"


def _load_tokenizer(folder: Path, part: str, vocabulary: int) -> Any:
    tokenizer = load_tokenizer(CLIPTokenizer, folder, part)
    if len(tokenizer) != vocabulary or tokenizer.model_max_length != TOKENS:
        found = f"{len(tokenizer)} words and length {tokenizer.model_max_length}"
        raise UnusableBaseModel(f"base model's {part} has {found}; its text encoder needs {vocabulary} and {TOKENS}")
    return tokenizer
