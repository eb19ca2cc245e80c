"""Build the trainer's own base model: a Stable Diffusion 1.x pipeline of a few million random weights.

It draws nothing one would want to look at, but it is real in every other way: the same classes, files and code path
as a full model. The weights come from integers and one multiplication, so every machine builds the same bytes.
"""

import argparse
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from lora_trainer.families.sd15 import TOKENS

MODELS = ("lorry/tiny-sd15",)
SEED = 15
TEXT_WIDTH = 32


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a built-in base model as a diffusers folder.")
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    build(out)
    print(f"{out}: {sum(path.stat().st_size for path in out.rglob('*') if path.is_file())} bytes", flush=True)
    return 0


def build(out: Path) -> None:
    tokenizer = build_tokenizer()
    build_unet().save_pretrained(out / "unet")
    build_vae().save_pretrained(out / "vae")
    build_text_encoder(tokenizer).save_pretrained(out / "text_encoder")
    tokenizer.save_pretrained(out / "tokenizer")
    build_scheduler().save_pretrained(out / "scheduler")
    (out / "model_index.json").write_text(MODEL_INDEX, encoding="utf-8")
    for path in out.rglob("*"):  # safetensors makes private files; others must read these
        path.chmod(0o755 if path.is_dir() else 0o644)


def build_tokenizer() -> Any:
    """Every byte as itself and as the end of a word: any text in any script has tokens, none is unknown."""
    alphabet = sorted(ByteLevel.alphabet())
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=TOKENS)


def build_text_encoder(tokenizer: Any) -> Any:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=2 * TEXT_WIDTH,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return with_fixed_weights(CLIPTextModel(config))


def build_unet() -> Any:
    """No attention at the largest size, unlike full models: on a CPU it alone would take two thirds of every step."""
    unet = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
    )
    return with_fixed_weights(unet)


def build_vae() -> Any:
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=256,
        scaling_factor=1.0,
    )
    return with_fixed_weights(vae)


def build_scheduler() -> Any:
    return DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )


@torch.no_grad()
def with_fixed_weights(model: Any) -> Any:
    """Uniform in ±sqrt(3 / fan in): a layer's output is as large as its input. Norms and biases as they start."""
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            source = np.random.Generator(np.random.PCG64([SEED, zlib.crc32(name.encode())]))
            bound = (3 / parameter[0].numel()) ** 0.5
            parameter.copy_(torch.from_numpy(source.uniform(-bound, bound, parameter.shape)))
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return model


MODEL_INDEX = """{
  "_class_name": "StableDiffusionPipeline",
  "feature_extractor": [null, null],
  "requires_safety_checker": false,
  "safety_checker": [null, null],
  "scheduler": ["diffusers", "DDPMScheduler"],
  "text_encoder": ["transformers", "CLIPTextModel"],
  "tokenizer": ["transformers", "CLIPTokenizer"],
  "unet": ["diffusers", "UNet2DConditionModel"],
  "vae": ["diffusers", "AutoencoderKL"]
}
"""


if __name__ == "__main__":
    sys.exit(main())
