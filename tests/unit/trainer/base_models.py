"""Model folders that are complete as far as anything looks at them before torch: files with one tensor each."""

from __future__ import annotations

import json
import struct
from pathlib import Path

PARTS = {
    "StableDiffusionPipeline": {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "tokenizer": "CLIPTokenizer",
        "scheduler": "PNDMScheduler",
    },
    "StableDiffusionXLPipeline": {
        "unet": "UNet2DConditionModel",
        "vae": "AutoencoderKL",
        "text_encoder": "CLIPTextModel",
        "text_encoder_2": "CLIPTextModelWithProjection",
        "tokenizer": "CLIPTokenizer",
        "tokenizer_2": "CLIPTokenizer",
        "scheduler": "EulerDiscreteScheduler",
    },
    "Flux2KleinPipeline": {
        "transformer": "Flux2Transformer2DModel",
        "vae": "AutoencoderKLFlux2",
        "text_encoder": "Qwen3ForCausalLM",
        "tokenizer": "Qwen2TokenizerFast",
        "scheduler": "FlowMatchEulerDiscreteScheduler",
    },
    "ZImagePipeline": {
        "transformer": "ZImageTransformer2DModel",
        "vae": "AutoencoderKL",
        "text_encoder": "Qwen3Model",
        "tokenizer": "Qwen2Tokenizer",
        "scheduler": "FlowMatchEulerDiscreteScheduler",
    },
}


def fill_model(folder: Path, pipeline: str = "StableDiffusionPipeline") -> None:
    for part in PARTS[pipeline]:
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text("{}")
        if not part.startswith(("tokenizer", "scheduler")):
            (folder / part / "model.safetensors").write_bytes(one_tensor())
    write_index(folder, pipeline)


def write_index(folder: Path, pipeline: str, **changes: list[str]) -> None:
    parts = {
        part: ["transformers" if part.startswith("t") and part != "transformer" else "diffusers", name]
        for part, name in PARTS[pipeline].items()
    }
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline, **parts, **changes}))


def one_tensor() -> bytes:
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def pickled(model: Path) -> None:
    (model / "unet" / "model.safetensors").rename(model / "unet" / "diffusion_pytorch_model.bin")
