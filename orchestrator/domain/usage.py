"""What a user does with an adapter file next, in ComfyUI and with diffusers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Text to copy; `prompt` holds the trigger words, which call up what was trained."""

    prompt: str
    comfyui: str
    diffusers: str


def usage_of(file_name: str, *, base_model: str, trigger_words: Sequence[str], is_local_model: bool) -> Usage:
    """`is_local_model`: no hub has the base model, so that its folder has to be named."""
    prompt = ", ".join(trigger_words) or "a photo"
    where = f"path/to/{base_model.rpartition('/')[2]}" if is_local_model else base_model
    return Usage(
        prompt=prompt,
        comfyui=_comfyui(file_name, base_model, prompt),
        diffusers=_diffusers(file_name, where, prompt),
    )


def _comfyui(file_name: str, base_model: str, prompt: str) -> str:
    return "\n".join(
        (
            f"1. Put {file_name} into ComfyUI/models/loras and press R to reload the lists.",
            f"2. Load a checkpoint of {base_model}, and a LoraLoader node after it: model and clip go through it.",
            f"3. Choose {file_name} there, strength_model 1.0 and strength_clip 1.0.",
            f"4. Write into the prompt: {prompt}",
        )
    )


def _diffusers(file_name: str, base_model: str, prompt: str) -> str:
    return "\n".join(
        (
            "import torch",
            "from diffusers import AutoPipelineForText2Image",
            "",
            'device = "cuda" if torch.cuda.is_available() else "cpu"',
            'dtype = torch.bfloat16 if device == "cuda" else torch.float32',
            f"pipeline = AutoPipelineForText2Image.from_pretrained({base_model!r}, torch_dtype=dtype).to(device)",
            f'pipeline.load_lora_weights(".", weight_name={file_name!r})',
            f"pipeline({prompt!r}, num_inference_steps=30).images[0].save('picture.png')",
        )
    )
