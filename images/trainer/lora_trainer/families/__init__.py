"""The model families this trainer knows, by the pipeline class a model folder names. Free of torch, for preflight.

A new family is one module with a class that fulfils `lora_trainer.families.family.Family`, and one entry here.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    module: str  # imported once preflight has passed; its `load` builds the family
    parts: Mapping[str, tuple[str, ...]]  # folders that must be there, and the classes each may be of (none: any)
    adapts_text: bool = False  # whether an adapter may change its text encoders too


STABLE_DIFFUSION_PARTS = {
    "unet": ("UNet2DConditionModel",),
    "vae": ("AutoencoderKL",),
    "text_encoder": ("CLIPTextModel",),
    "tokenizer": ("CLIPTokenizer", "CLIPTokenizerFast"),
    "scheduler": (),
}
QWEN_PARTS = {
    "text_encoder": ("Qwen3ForCausalLM", "Qwen3Model"),
    "tokenizer": ("Qwen2Tokenizer", "Qwen2TokenizerFast"),
    "scheduler": ("FlowMatchEulerDiscreteScheduler",),
}

FAMILIES = {
    "StableDiffusionPipeline": FamilyEntry("lora_trainer.families.sd15", STABLE_DIFFUSION_PARTS, adapts_text=True),
    "StableDiffusionXLPipeline": FamilyEntry(
        "lora_trainer.families.sdxl",
        {
            **STABLE_DIFFUSION_PARTS,
            "text_encoder_2": ("CLIPTextModelWithProjection",),
            "tokenizer_2": ("CLIPTokenizer", "CLIPTokenizerFast"),
        },
        adapts_text=True,
    ),
    "Flux2KleinPipeline": FamilyEntry(
        "lora_trainer.families.flux2_klein",
        {**QWEN_PARTS, "transformer": ("Flux2Transformer2DModel",), "vae": ("AutoencoderKLFlux2",)},
    ),
    "ZImagePipeline": FamilyEntry(
        "lora_trainer.families.z_image",
        {**QWEN_PARTS, "transformer": ("ZImageTransformer2DModel",), "vae": ("AutoencoderKL",)},
    ),
}
