"""The card beside the adapter: read by Hugging Face, and by people."""

from __future__ import annotations

import pytest
import yaml

from lora_trainer.config import load_config
from lora_trainer.model_card import write_model_card
from tests.unit.trainer.documents import write_config

pytestmark = pytest.mark.trainer


@pytest.fixture
def card(tmp_path):
    """`card(**changes)`: the text of the card of a job with these changes."""

    def write(**changes):
        config = load_config(write_config(tmp_path, output_path=str(tmp_path), **changes))
        write_model_card(
            config,
            adapter="cats.safetensors",
            prompt="a photo of گربه",
            facts={"steps_taken": 100},
            samples=["samples/step-000100-0.png"],
        )
        return (tmp_path / "README.md").read_text(encoding="utf-8")

    return write


def front_matter(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_it_names_what_the_adapter_belongs_to_and_how_to_call_it(card):
    text = card(trigger_words=["گربه"])

    assert front_matter(text) == {
        "base_model": "lorry/tiny-sd15",
        "library_name": "diffusers",
        "pipeline_tag": "text-to-image",
        "tags": ["lora", "diffusers", "text-to-image"],
        "instance_prompt": "a photo of گربه",
    }
    assert "Trigger words: `گربه`" in text
    assert 'load_lora_weights(".", weight_name="cats.safetensors")' in text
    assert "![A sample](samples/step-000100-0.png)" in text


def test_it_tells_every_setting_and_what_became_of_it(card):
    rows = [line for line in card(training_params={"steps": 200, "seed": 7}).splitlines() if line.startswith("| ")]

    assert {"| steps_taken | 100 |", "| steps | 200 |", "| seed | 7 |", "| lora_alpha | 32 |"} <= set(rows)


def test_a_name_that_is_markup_stays_a_name(card):
    text = card(
        name="---\n# Owned | `rm`\n---", trigger_words=["a\nb"], training_params={"sample_prompts": ["x | y\nz"]}
    )

    assert text.count("\n---\n") == 1
    assert "\n# --- # Owned \\| 'rm' ---\n" in text
    assert "Trigger words: `a b`" in text
    assert '| sample_prompts | ["x \\| y\\nz"] |' in text


def test_without_trigger_words_it_says_so(card):
    assert "It has no trigger words." in card(trigger_words=[])
