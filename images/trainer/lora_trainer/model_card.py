"""The card that goes with the adapter: what it is, how to use it, what it was made with. Hugging Face's format."""

import json
from dataclasses import asdict
from pathlib import Path

from lora_trainer.config import JobConfig
from lora_trainer.files import writing

FILE_NAME = "README.md"

_USE = """\
```python
import torch
from diffusers import AutoPipelineForText2Image

pipeline = AutoPipelineForText2Image.from_pretrained({base_model}, torch_dtype=torch.bfloat16).to("cuda")
pipeline.load_lora_weights(".", weight_name={file})
picture = pipeline({prompt}).images[0]
```

In ComfyUI, put `{file_name}` into `models/loras` and load it with the node "Load LoRA" at strength 1."""


def write_model_card(
    config: JobConfig, *, adapter: str, prompt: str, facts: dict[str, object], samples: list[str]
) -> None:
    """`adapter`: name of the main file; `prompt`: one that shows it; `facts`: of the run; `samples`: their paths."""
    path = Path(config.output_path) / FILE_NAME
    with writing(path):
        path.write_text(_card(config, adapter, prompt, facts, samples), encoding="utf-8")


def _card(config: JobConfig, adapter: str, prompt: str, facts: dict[str, object], samples: list[str]) -> str:
    use = _USE.format(
        base_model=json.dumps(config.base_model),
        file=json.dumps(adapter),
        prompt=json.dumps(prompt, ensure_ascii=False),
        file_name=adapter,
    )
    words = ", ".join(f"`{_line(word)}`" for word in config.trigger_words)
    parts = [
        _front_matter(config, prompt),
        f"# {_line(config.name)}",
        f"A LoRA adapter for `{config.base_model}`, revision `{config.base_model_revision}`.",
        f"Trigger words: {words}" if words else "It has no trigger words.",
        *(f"![A sample]({sample})" for sample in samples),
        f"## Use\n\n{use}",
        f"## Training\n\n{_table(facts | asdict(config.training_params))}",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(config: JobConfig, prompt: str) -> str:
    """YAML; JSON's strings are YAML's too, so nothing that a name holds can leave its place."""
    entries = {
        "base_model": config.base_model,
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["lora", "diffusers", "text-to-image"],
        "instance_prompt": prompt,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in entries.items()]
    return "\n".join(["---", *lines, "---"])


def _table(facts: dict[str, object]) -> str:
    rows = [f"| {name} | {_line(json.dumps(value, ensure_ascii=False))} |" for name, value in facts.items()]
    return "\n".join(["| setting | value |", "|---|---|", *rows])


def _line(text: str) -> str:
    """On one line, and in one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")
