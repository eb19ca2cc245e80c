"""Presets on disk: ours are right, and a broken one is found when the installation starts."""

from __future__ import annotations

import pytest

from orchestrator.adapters.filesystem.presets import FilesystemPresetStore
from orchestrator.domain.training import TrainingConfig
from orchestrator.settings import Settings

HEAD = "title: T\ndescription: D\n"


def written(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    return FilesystemPresetStore(tmp_path).presets()


def test_every_preset_that_is_shipped_changes_some_options():
    presets = FilesystemPresetStore(Settings().presets).presets()

    assert [preset.name for preset in presets] == ["draft", "low-memory", "style", "subject", "thorough"]
    for preset in presets:
        assert preset.title
        assert preset.description
        assert preset.applied(TrainingConfig(), chosen=()) != TrainingConfig(), preset.name


def test_a_file_is_a_preset_of_its_name(tmp_path):
    (preset,) = written(tmp_path, HEAD + "config: {steps: 300, sample_prompts: [a cat], validation_every: null}")

    assert (preset.name, preset.title, preset.description) == ("mine", "T", "D")
    config = preset.applied(TrainingConfig(seed=7), chosen=())
    assert config == TrainingConfig(seed=7, steps=300, sample_prompts=("a cat",))


def test_what_the_user_chose_stays():
    (draft, *_) = FilesystemPresetStore(Settings().presets).presets()

    config = draft.applied(TrainingConfig(steps=1_000, lora_rank=64), chosen=("steps",))

    assert (config.steps, config.lora_rank) == (1_000, 8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "title: T\nconfig: {}",
        HEAD,
        HEAD + "config: {stepz: 300}",
        HEAD + "config: {steps: 99}",
        HEAD + "config: {steps: many}",
        HEAD + "config: {resolution: 500}",
        HEAD + "config: {lr_scheduler: sometimes}",
        HEAD + "config: {sample_prompts: [1, 2, 3, 4, 5, 6, 7, 8, 9]}",
        HEAD + "colour: red\nconfig: {}",
        "title: [",
    ],
)
def test_what_is_no_preset_is_refused_with_its_path(tmp_path, text):
    with pytest.raises(ValueError, match=r"mine\.yaml is not a preset"):
        written(tmp_path, text)


def test_no_folder_is_no_presets(tmp_path):
    assert FilesystemPresetStore(tmp_path / "nowhere").presets() == ()
