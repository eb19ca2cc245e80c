"""Does an adapter file work for its users? Loads it as they would, through diffusers, and compares two pictures."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from numpy.typing import NDArray
from safetensors import safe_open

PROMPT = "a photo"
SIDE = 256
STEPS = 8


def main() -> int:
    parser = argparse.ArgumentParser(description="Load an adapter with diffusers and see whether it changes a picture.")
    parser.add_argument("--base-model", type=Path, required=True, help="folder in the diffusers layout")
    parser.add_argument("--adapter", type=Path, required=True, help="safetensors file")
    arguments = parser.parse_args()
    report = verify(arguments.base_model, arguments.adapter)
    print(json.dumps(report))
    return 0 if report["picture_change"] > 0 else 1


def verify(base_model: Path, adapter: Path) -> dict[str, Any]:
    with safe_open(adapter, framework="np") as file:
        keys = list(file.keys())
    pipeline: Any = DiffusionPipeline.from_pretrained(base_model, local_files_only=True, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    before = _picture(pipeline)
    pipeline.load_lora_weights(adapter.parent, weight_name=adapter.name, local_files_only=True)
    return {
        "picture_change": float(np.abs(_picture(pipeline) - before).mean()),
        "keys": len(keys),
        "format": "kohya" if any(key.endswith(".alpha") for key in keys) else "diffusers",
    }


def _picture(pipeline: Any) -> NDArray[np.float32]:
    """(h, w, 3) in 0..1, from a noise that is always the same."""
    source = torch.Generator().manual_seed(0)
    result = pipeline(
        prompt=PROMPT, height=SIDE, width=SIDE, num_inference_steps=STEPS, generator=source, output_type="np"
    )
    picture: NDArray[np.float32] = result.images[0]
    return picture


if __name__ == "__main__":
    sys.exit(main())
