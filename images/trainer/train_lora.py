"""Entry point of the training image: `python train_lora.py --config /workspace/config.json`."""

import argparse
import sys
from pathlib import Path

from lora_trainer.run import run


def main() -> int:
    parser = argparse.ArgumentParser(description="Train one LoRA adapter as the job configuration says.")
    parser.add_argument("--config", type=Path, required=True, help="job configuration (job-config.v1.json)")
    return run(parser.parse_args().config)


if __name__ == "__main__":
    sys.exit(main())
