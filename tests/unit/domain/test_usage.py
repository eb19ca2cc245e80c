"""What a user reads who wants to use an adapter."""

from __future__ import annotations

import ast

import pytest

from orchestrator.domain.usage import usage_of

HOSTILE = "a'); import os; os.system('x') #\n\"\"\""


def test_the_program_names_the_file_the_model_and_the_words():
    usage = usage_of("my-cat.safetensors", base_model="org/model", trigger_words=("sks", "cat"), is_local_model=False)

    assert usage.prompt == "sks, cat"
    for part in ("'my-cat.safetensors'", "'org/model'", "'sks, cat'"):
        assert part in usage.diffusers
    for part in ("my-cat.safetensors", "ComfyUI/models/loras", "org/model", "sks, cat"):
        assert part in usage.comfyui


def test_a_model_that_no_hub_has_is_a_folder_to_be_named():
    usage = usage_of("a.safetensors", base_model="lorry/tiny-sd15", trigger_words=(), is_local_model=True)

    assert "'path/to/tiny-sd15'" in usage.diffusers


@pytest.mark.parametrize("words", [("sks",), (HOSTILE,), ()])
def test_the_program_is_python_whatever_the_words_are(words):
    usage = usage_of("a b.safetensors", base_model="org/model", trigger_words=words, is_local_model=False)

    calls = [node for node in ast.walk(ast.parse(usage.diffusers)) if isinstance(node, ast.Call)]
    assert "system" not in {node.func.attr for node in calls if isinstance(node.func, ast.Attribute)}
    assert len(ast.parse(usage.diffusers).body) == 7
