"""Writes an imitation of the built-in base model: a folder that looks like one, without weights."""

import argparse
import json
import sys
from pathlib import Path

BUILT_IN = "lorry/tiny-sd15"
MODEL_UNAVAILABLE = 12


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.model != BUILT_IN:
        print(f"{arguments.model} is not built in; {BUILT_IN} is", file=sys.stderr)
        return MODEL_UNAVAILABLE
    arguments.out.mkdir(parents=True, exist_ok=True)
    index = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.0.0"}
    (arguments.out / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
