"""What the catalogue says of the size of adapters, held against adapters."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from lora_trainer import adapter
from lora_trainer.base_model import inspect_base_model
from lora_trainer.export import kohya_tensors
from orchestrator.adapters.filesystem.catalogue import read_catalogue

CATALOGUE = Path(__file__).resolve().parents[3] / "configs" / "models.yaml"
RANK = 8
TINY = [entry for entry in read_catalogue(CATALOGUE) if entry.id.startswith("lorry/")]


def bytes_a_rank(folder: Path, *, adapts_text: bool) -> float:
    family = importlib.import_module(inspect_base_model(folder).module).FAMILY.load(
        folder, device=torch.device("cpu"), dtype=torch.float32, adapts_text=adapts_text
    )
    pairs = adapter.attach(family, rank=RANK, alpha=RANK, seed=1).pairs
    return sum(tensor.nbytes for tensor in kohya_tensors(pairs, RANK).values()) / RANK


@pytest.mark.parametrize("entry", TINY, ids=lambda entry: entry.id)
def test_an_adapter_is_as_large_as_the_catalogue_says_for_each_rank(twins: dict[str, Path], entry) -> None:
    assert bytes_a_rank(twins[entry.id], adapts_text=False) == pytest.approx(entry.adapter_bytes, rel=0.05)
    if entry.text_adapter_bytes is not None:
        assert bytes_a_rank(twins[entry.id], adapts_text=True) == pytest.approx(entry.text_adapter_bytes, rel=0.05)
