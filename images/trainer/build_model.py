"""Build the trainer's own base models: each family in miniature, a few million random weights.

They draw nothing one would want to look at, but they are real in every other way: the same classes, files and code
path as a full model. The weights come from integers and one multiplication, so every machine builds the same bytes.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
)

from lora_trainer.families import flux2_klein
from lora_trainer.families.clip import TOKENS

SEED = 15
TEXT_WIDTH = 32
WIDER_TEXT_WIDTH = 48  # of SDXL's second text encoder
LANGUAGE_WIDTH = 32
TRANSFORMER_HEADS = 4
LATENT_CHANNELS = 4
VAE_BLOCKS: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (8, 16, 16, 16),
    "layers_per_block": 1,
    "latent_channels": LATENT_CHANNELS,
    "norm_num_groups": 8,
    "sample_size": 256,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Write a built-in base model as a diffusers folder.")
    parser.add_argument("--model", choices=sorted(MODELS), required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    out: Path = arguments.out
    build(arguments.model, out)
    print(f"{out}: {sum(path.stat().st_size for path in out.rglob('*') if path.is_file())} bytes", flush=True)
    return 0


def build(model: str, out: Path) -> None:
    pipeline, build_parts = MODELS[model]
    parts = build_parts()
    for name, part in parts.items():
        if name.startswith("tokenizer"):
            part.save_pretrained(out / name, save_jinja_files=False)  # the chat template too is a value in JSON
        else:
            part.save_pretrained(out / name)
    index = {name: [type(part).__module__.partition(".")[0], type(part).__name__] for name, part in parts.items()}
    (out / "model_index.json").write_text(json.dumps({**pipeline, **index}, indent=2) + "\n", encoding="utf-8")
    for path in out.rglob("*"):  # safetensors makes private files; others must read these
        path.chmod(0o755 if path.is_dir() else 0o644)


def build_sd15() -> dict[str, Any]:
    tokenizer = build_clip_tokenizer()
    return {
        "unet": build_unet(cross_attention_dim=TEXT_WIDTH),
        "vae": build_vae(scaling_factor=1.0),
        "text_encoder": with_fixed_weights(CLIPTextModel(clip_config(tokenizer, TEXT_WIDTH))),
        "tokenizer": tokenizer,
        "scheduler": build_noise_scheduler(),
    }


def build_sdxl() -> dict[str, Any]:
    tokenizer = build_clip_tokenizer()
    size_width = 8  # of the embedding of each of the six numbers that describe a crop
    return {
        "unet": build_unet(
            cross_attention_dim=TEXT_WIDTH + WIDER_TEXT_WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=size_width,
            projection_class_embeddings_input_dim=WIDER_TEXT_WIDTH + 6 * size_width,
            use_linear_projection=True,
        ),
        "vae": build_vae(scaling_factor=1.0),
        "text_encoder": with_fixed_weights(CLIPTextModel(clip_config(tokenizer, TEXT_WIDTH))),
        "text_encoder_2": with_fixed_weights(CLIPTextModelWithProjection(clip_config(tokenizer, WIDER_TEXT_WIDTH))),
        "tokenizer": tokenizer,
        "tokenizer_2": tokenizer,
        "scheduler": build_noise_scheduler(),
    }


def build_flux2_klein() -> dict[str, Any]:
    tokenizer = build_chat_tokenizer()
    transformer = Flux2Transformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=TRANSFORMER_HEADS,
        joint_attention_dim=len(flux2_klein.TEXT_LAYERS) * LANGUAGE_WIDTH,
        timestep_guidance_channels=32,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    language_model = Qwen3ForCausalLM(qwen_config(tokenizer, layers=max(flux2_klein.TEXT_LAYERS)))
    return {
        "transformer": with_fixed_weights(transformer),
        "vae": build_flux2_vae(),
        "text_encoder": with_fixed_weights(language_model),
        "tokenizer": tokenizer,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
    }


def build_z_image() -> dict[str, Any]:
    tokenizer = build_chat_tokenizer()
    transformer = ZImageTransformer2DModel(
        in_channels=LATENT_CHANNELS,
        dim=64,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=TRANSFORMER_HEADS,
        n_kv_heads=TRANSFORMER_HEADS,
        cap_feat_dim=LANGUAGE_WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 512, 512],
    )
    return {
        "transformer": with_fixed_weights(transformer),
        "vae": build_vae(scaling_factor=0.8, shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        "text_encoder": with_fixed_weights(Qwen3Model(qwen_config(tokenizer, layers=3))),
        "tokenizer": tokenizer,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    }


def build_clip_tokenizer() -> Any:
    """Every byte as itself and as the end of a word: any text in any script has tokens, none is unknown."""
    alphabet = sorted(ByteLevel.alphabet())
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[], model_max_length=TOKENS)


def build_chat_tokenizer() -> Any:
    words = [*sorted(ByteLevel.alphabet()), "<|endoftext|>"]
    tokenizer = Qwen2Tokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", "<think>", "</think>"]})
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def clip_config(tokenizer: Any, width: int) -> Any:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def qwen_config(tokenizer: Any, *, layers: int) -> Any:
    return Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=LANGUAGE_WIDTH,
        intermediate_size=2 * LANGUAGE_WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def build_unet(**options: Any) -> Any:
    """No attention at the largest size, unlike full models: on a CPU it alone would take two thirds of every step."""
    unet = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=16,
        **options,
    )
    return with_fixed_weights(unet)


def build_vae(**options: Any) -> Any:
    return with_fixed_weights(AutoencoderKL(**VAE_BLOCKS, **options))


@torch.no_grad()
def build_flux2_vae() -> Any:
    vae = with_fixed_weights(AutoencoderKLFlux2(**VAE_BLOCKS))
    count = len(vae.bn.running_mean)  # statistics of latents that are neither centred nor of unit size
    vae.bn.running_mean.copy_(torch.arange(count) / count - 0.5)
    vae.bn.running_var.copy_(torch.arange(count) / count + 0.5)
    return vae


def build_noise_scheduler() -> Any:
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


# Qwen3's, for one message of a user; a model that must not think is shown that it has done so already.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
WITHOUT_SAFETY_CHECKER = {
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
}
# What model_index.json says beside the parts, and who builds these.
MODELS: dict[str, tuple[dict[str, Any], Callable[[], dict[str, Any]]]] = {
    "lorry/tiny-sd15": ({"_class_name": "StableDiffusionPipeline", **WITHOUT_SAFETY_CHECKER}, build_sd15),
    "lorry/tiny-sdxl": ({"_class_name": "StableDiffusionXLPipeline"}, build_sdxl),
    "lorry/tiny-flux2-klein": ({"_class_name": "Flux2KleinPipeline", "is_distilled": False}, build_flux2_klein),
    "lorry/tiny-z-image": ({"_class_name": "ZImagePipeline"}, build_z_image),
}


if __name__ == "__main__":
    sys.exit(main())
