"""Adapter files that lie, one lie each."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from orchestrator.adapters.filesystem.adapter_file import check_adapter_file
from orchestrator.domain.errors import Rejected
from tests.factories import adapter_bytes, adapter_tensors, safetensors_bytes

LAYER = "lora_unet_to_q"
DOWN, UP, ALPHA = f"{LAYER}.lora_down.weight", f"{LAYER}.lora_up.weight", f"{LAYER}.alpha"


@pytest.fixture
def check(tmp_path):
    def check_bytes(data, file_format="kohya"):
        path = tmp_path / "adapter.safetensors"
        path.write_bytes(data)
        check_adapter_file(path, file_format)

    return check_bytes


def with_header(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def changed(**tensors):
    """The kohya tensors with some replaced; None takes one out."""
    named = {"down": DOWN, "up": UP, "alpha": ALPHA}
    replaced = adapter_tensors() | {named.get(key, key): value for key, value in tensors.items()}
    return safetensors_bytes({name: values for name, values in replaced.items() if values is not None})


@pytest.mark.parametrize("file_format", ["kohya", "diffusers"])
def test_both_formats_pass(check, file_format):
    check(adapter_bytes(file_format), file_format)


def test_older_diffusers_keys_pass(check):
    down, up = adapter_tensors("diffusers").values()

    check(safetensors_bytes({"unet.to_q.lora.down.weight": down, "unet.to_q.lora.up.weight": up}), "diffusers")


def test_half_precision_passes(check):
    halves = {name: values.astype(np.float16) for name, values in adapter_tensors().items()}

    check(safetensors_bytes(halves, dtype="F16"))


def test_brain_floats_pass_and_their_nan_is_found(check):
    def as_bf16(tensors):
        return {name: (values.view(np.uint32) >> 16).astype(np.uint16) for name, values in tensors.items()}

    check(safetensors_bytes(as_bf16(adapter_tensors()), dtype="BF16"))
    with pytest.raises(Rejected, match="not finite"):
        check(safetensors_bytes(as_bf16(adapter_tensors(value=np.nan)), dtype="BF16"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_rejected(check, value):
    down = np.full((4, 8), 0.1, np.float32)
    down[3, 7] = value

    with pytest.raises(Rejected, match="not finite"):
        check(changed(down=down))


@pytest.mark.parametrize("zeroed", ["down", "up"])
def test_an_adapter_that_changes_nothing_is_rejected(check, zeroed):
    shape = {"down": (4, 8), "up": (8, 4)}[zeroed]

    with pytest.raises(Rejected, match="zero"):
        check(changed(**{zeroed: np.zeros(shape, np.float32)}))


@pytest.mark.parametrize("missing", ["down", "up", "alpha"])
def test_an_incomplete_layer_is_rejected(check, missing):
    with pytest.raises(Rejected):
        check(changed(**{missing: None}))


def test_a_foreign_tensor_is_rejected(check):
    with pytest.raises(Rejected, match="keys of the kohya format"):
        check(changed(extra=np.ones(3, np.float32)))


def test_factors_of_different_rank_are_rejected(check):
    with pytest.raises(Rejected, match="rank"):
        check(changed(up=np.ones((8, 3), np.float32)))


def test_the_keys_of_one_format_are_not_the_other(check):
    with pytest.raises(Rejected, match="keys of the diffusers format"):
        check(adapter_bytes("kohya"), "diffusers")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        struct.pack("<Q", 0),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100) + b"{}",
        with_header(b"not JSON"),
        with_header(b"\xff\xfe"),
        with_header(b"[]"),
        with_header(b"[" * 100_000),
        with_header(b"{}"),
        with_header(json.dumps({DOWN: None}).encode()),
        with_header(json.dumps({DOWN: {"dtype": "F32", "shape": [4, 8], "data_offsets": [0]}}).encode()),
        with_header(json.dumps({DOWN: {"dtype": "F32", "shape": [-4, -8], "data_offsets": [0, 128]}}).encode()),
        with_header(json.dumps({DOWN: {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}).encode(), b"\0" * 4),
        with_header(json.dumps({DOWN: {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()),
        with_header(json.dumps({DOWN: {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}).encode(), b"\0" * 8),
        with_header(json.dumps({DOWN: {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}).encode(), b"\0" * 4),
        adapter_bytes()[:-1],
        adapter_bytes() + b"\0",
        adapter_bytes()[: len(adapter_bytes()) // 2],
    ],
)
def test_a_file_that_is_no_whole_safetensors_file_is_rejected(check, data):
    with pytest.raises(Rejected):
        check(data)


def test_overlapping_tensors_are_rejected(check):
    twin = {"dtype": "F32", "shape": [4, 8], "data_offsets": [0, 128]}

    with pytest.raises(Rejected, match="overlap"):
        check(safetensors_bytes(adapter_tensors(), **{"lora_unet_to_k.lora_down.weight": twin}))
