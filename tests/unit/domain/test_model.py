"""Which files of a hub's repository belong to a model, and when content is what was promised."""

from __future__ import annotations

import hashlib

import pytest

from orchestrator.domain.model import ModelFile, ModelSource, is_wanted
from tests.factories import make_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "path",
    [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.safetensors.index.json",
        "unet/chat_template.jinja",
        "unet/spiece.model",
    ],
)
def test_a_diffusers_folders_files_are_wanted(path):
    assert is_wanted(path, ("unet",))
    assert is_wanted(path, ())


@pytest.mark.parametrize(
    "path",
    [
        "sd_xl_base_1.0.safetensors",
        "README.md",
        "unet/diffusion_pytorch_model.bin",
        "unet/model.onnx",
        "unet/model.py",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "unet/below/config.json",
        "unet/.hidden.json",
        "../unet/config.json",
        "unet/../config.json",
        "/unet/config.json",
        "unet/a b.json",
        "unet/config.json\n",
        "",
    ],
)
def test_everything_else_stays_where_it_is(path):
    assert not is_wanted(path, ())


def test_other_folders_than_the_parts_stay_where_they_are():
    assert not is_wanted("safety_checker/model.safetensors", ("unet",))


def test_a_large_file_is_its_sha256_and_a_small_one_what_git_calls_it():
    content = b"weights"
    sha256 = ModelFile(path="w", size_bytes=7, sha256=hashlib.sha256(content).hexdigest(), git_sha1="of a pointer")
    # `printf weights | git hash-object --stdin`
    git = ModelFile(path="w", size_bytes=7, git_sha1="3ab313fff6f41bb35969cd359e9ddfb8033b3ac2")

    for file in (sha256, git):
        assert file.is_made_of([b"wei", b"ghts"])
        assert not file.is_made_of([b"weightz"])


@pytest.mark.parametrize(
    ("source", "revision", "is_pinned"),
    [
        (ModelSource.HUGGINGFACE, COMMIT, True),
        (ModelSource.HUGGINGFACE, "main", False),
        (ModelSource.LOCAL, COMMIT, False),
    ],
)
def test_only_a_commit_of_a_hub_is_a_pin(source, revision, is_pinned):
    assert make_model(source=source, revision=revision).is_pinned is is_pinned
