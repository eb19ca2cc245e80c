"""configs/models.yaml: every mistake in it is named, and what is shipped suits the trainer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lora_trainer.families import FAMILIES
from orchestrator.adapters.filesystem.catalogue import read_catalogue
from orchestrator.domain.errors import Rejected
from orchestrator.domain.model import ModelSource

SHIPPED = read_catalogue(Path(__file__).parents[3] / "configs" / "models.yaml")
FETCHED = [entry for entry in SHIPPED if entry.source is ModelSource.HUGGINGFACE]
LINE = {"id": "org/model", "family": "sd15", "source": "huggingface", "revision": "main", "licence": "MIT"}
PIPELINES = {
    "sd15": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "flux2-klein": "Flux2KleinPipeline",
    "z-image": "ZImagePipeline",
}


@pytest.fixture
def read(tmp_path):
    def read_text(text: str):
        path = tmp_path / "models.yaml"
        path.write_text(text)
        return read_catalogue(path)

    return read_text


@pytest.fixture
def read_line(read):
    return lambda **changes: read(yaml.safe_dump({"models": [LINE | changes]}))[0]


@pytest.mark.parametrize(
    "text",
    ["", "models: 3", "models: [{id: lorry/x}]", "models: [[]]", "- a", "models: [", "\x00"],
)
def test_what_is_no_catalogue_is_refused_in_a_sentence(read, text):
    with pytest.raises(Rejected, match=r"The model catalogue .*models\.yaml is not usable:\n  \S+") as refusal:
        read(text)

    assert refusal.value.code == "CATALOGUE_REFUSED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "model"),
        ("id", "../../etc"),
        ("id", "org/a--b"),
        ("id", "org/a/b"),
        ("source", "ftp"),
        ("family", ""),
        ("revision", ""),
        ("revision", 7),
        ("size", "a lot"),
        ("size", -1),
        ("memory", "many"),
        ("gated", "perhaps"),
        ("parts", ["../unet"]),
        ("licence", ""),
        ("license", "MIT"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_model(read_line, field, value):
    with pytest.raises(Rejected, match=rf"models\.0\.{field}.*\((org/model|{value})\)"):
        read_line(**{field: value})


def test_all_mistakes_are_named_at_once(read):
    lines = [LINE | {"size": "a lot"}, LINE | {"id": "org/other", "source": "ftp"}]
    with pytest.raises(Rejected) as refusal:
        read(yaml.safe_dump({"models": lines}))

    assert refusal.value.message.count("\n") == 2


def test_a_model_is_listed_once(read):
    with pytest.raises(Rejected, match="listed more than once: org/model"):
        read(yaml.safe_dump({"models": [LINE, LINE]}))


@pytest.mark.parametrize("source", ["builtin", "local"])
def test_only_what_is_fetched_is_gated_or_in_parts(read_line, source):
    with pytest.raises(Rejected, match="for models with source huggingface"):
        read_line(source=source, gated=True)


def test_a_catalogue_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Rejected, match="cannot be read: No such file"):
        read_catalogue(tmp_path / "models.yaml")


def test_sizes_are_written_as_people_write_them(read_line):
    entry = read_line(size="4.3 GB", memory="512 MiB")

    assert (entry.size_bytes, entry.memory_bytes) == (4_300_000_000, 512 * 1024**2)


@pytest.mark.parametrize("entry", FETCHED, ids=lambda entry: entry.id)
def test_what_is_fetched_is_what_the_trainer_loads(entry):
    assert set(entry.parts) == set(FAMILIES[PIPELINES[entry.family]].parts)


@pytest.mark.parametrize("entry", FETCHED, ids=lambda entry: entry.id)
def test_what_is_fetched_says_what_it_takes(entry):
    assert entry.size_bytes > 10**9
    assert entry.memory_bytes > 10**9
    assert entry.is_pinned or entry.revision == "main"


def test_every_family_of_the_trainer_is_on_offer():
    assert {PIPELINES[entry.family] for entry in FETCHED} == set(FAMILIES)
