"""Runs that train CLIP's text encoders beside the UNet: from the captions' tokens to files that readers know."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.utils._python_dispatch import TorchDispatchMode

from lora_trainer import adapter
from lora_trainer.base_model import inspect_base_model
from lora_trainer.cache import Encoded, Shelf, replace_dropped
from lora_trainer.config import TrainingParams, load_config
from lora_trainer.errors import StoppedOnRequest
from lora_trainer.evaluate import fixed_noise_loss
from lora_trainer.events import EventLog
from lora_trainer.objective import generator
from lora_trainer.phases import train_adapter
from lora_trainer.preflight import inspect_dataset
from lora_trainer.step import Source, Stepper
from lora_trainer.stop import StopRequest
from tests.integration.trainer.conftest import Run
from tests.integration.trainer.twins import SD15, SDXL, Twin, merged, pipeline_of, prediction, trained_pairs
from tests.unit.trainer.documents import PHOTOGRAPHS, write_config
from tests.unit.trainer.test_trainer_graph import FakeRecorder
from verify_adapter import verify

CPU = torch.device("cpu")
RANK, ALPHA, STEPS = 16, 32, 6
FORMATS = ("kohya", "diffusers")
# Of the twins: two layers in each text encoder.
PROJECTIONS = [f"encoder.layers.{layer}.self_attn.{name}_proj" for layer in (0, 1) for name in ("q", "k", "v", "out")]
PARTS = {SD15: {"text_encoder": "lora_te"}, SDXL: {"text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}}


class Dies(EventLog):
    """As if the machine went down right behind the checkpoint of a step."""

    def __init__(self, outputs, step):
        super().__init__(outputs)
        self._step = step

    def emit(self, kind, **fields):
        super().emit(kind, **fields)
        if kind == "checkpoint" and fields["step"] == self._step:
            raise StoppedOnRequest


def train(folder, model, *, dies_after=None, **params):
    """A short run in this process; started again in the same folder it is a second attempt."""
    run = Run(folder)
    run.outputs.mkdir(exist_ok=True, parents=True)
    params = {"resolution": 256, "learning_rate": 3e-3, "lora_rank": RANK, "lora_alpha": ALPHA} | params
    paths = {"dataset_path": str(PHOTOGRAPHS), "base_model_path": str(model), "output_path": str(run.outputs)}
    config = load_config(write_config(folder, training_params=params | {"text_encoder_lora": True}, **paths))
    config = replace(config, training_params=replace(config.training_params, steps=STEPS))
    try:
        items = inspect_dataset(PHOTOGRAPHS)[:2]
        train_adapter(config, items, inspect_base_model(model), Dies(run.outputs, dies_after), StopRequest())
    except StoppedOnRequest:
        return None
    return run


@pytest.fixture(scope="module", params=[SD15, SDXL])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def run(name, twins, tmp_path_factory):
    return train(tmp_path_factory.mktemp("run"), twins[name])


def test_a_run_learns_and_ends_with_files_that_were_proved(run):
    (result,) = run.events("result")

    assert result["eval_loss_after"] < result["eval_loss_before"]
    assert result["reload_error"] < 1e-3
    assert result["picture_change"] > 0
    assert result["memory_profile"].endswith(", with text_encoder_lora")
    pictures = [(run.outputs / sample["path"]).read_bytes() for sample in run.events("sample")]
    assert len(set(pictures)) == 2


def test_every_layer_that_the_unet_reads_from_has_learned(run, name):
    pairs = trained_pairs(run.outputs / "checkpoints" / f"step-{STEPS:06d}")

    learned = {layer for layer, (_, up) in pairs.items() if up.any()}

    text = {layer for layer in pairs if layer.startswith("text_encoder")}
    assert text == {f"{part}.text_model.{layer}" for part in PARTS[name] for layer in PROJECTIONS}
    # SDXL reads its first text encoder before that one's last layer.
    unread = "text_encoder.text_model.encoder.layers.1." if name == SDXL else "nothing"
    assert pairs.keys() - learned == {layer for layer in pairs if layer.startswith(unread)}


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_loaded_file_has_the_whole_effect_of_the_trained_weights(run, name, twins, file_format):
    """Merged by hand from a checkpoint; a reader that loses alpha, or the text encoders, would be far off."""
    path = run.adapter_in(file_format)
    pairs = trained_pairs(run.outputs / "checkpoints" / f"step-{STEPS:06d}")
    base = prediction(Twin(name, pipeline_of(twins[name])))
    expected = prediction(merged(Twin(name, pipeline_of(twins[name])), pairs, ALPHA / RANK)) - base
    of_unet = {layer: pair for layer, pair in pairs.items() if layer.startswith("unet.")}
    without_text = prediction(merged(Twin(name, pipeline_of(twins[name])), of_unet, ALPHA / RANK)) - base
    loaded = Twin(name, pipeline_of(twins[name]))
    loaded.pipeline.load_lora_weights(path.parent, weight_name=path.name, local_files_only=True)

    found = prediction(loaded) - base

    assert float(found.norm() / expected.norm()) == pytest.approx(1.0, abs=1e-3)
    assert float((found - expected).norm() / expected.norm()) < 1e-3
    assert float((without_text - expected).norm() / expected.norm()) > 0.01


def test_the_program_that_loads_files_as_users_do_sees_the_picture_change(run, name, twins):
    report = verify(twins[name], run.adapter)

    assert report["picture_change"] > 0
    assert (report["format"], report["keys"]) == ("kohya", len(load_file(run.adapter)))


def test_the_files_have_the_keys_that_readers_expect(run, name):
    kohya, diffusers = load_file(run.adapter), load_file(run.twin)

    layers = {
        f"{prefix}_text_model_{layer.replace('.', '_')}" for prefix in PARTS[name].values() for layer in PROJECTIONS
    }
    endings = ("lora_down.weight", "lora_up.weight", "alpha")
    of_text = {key for key in kohya if key.startswith("lora_te")}
    assert of_text == {f"{layer}.{ending}" for layer in layers for ending in endings}
    assert all(key.startswith("lora_unet_") for key in kohya.keys() - of_text)
    assert {float(kohya[f"{layer}.alpha"]) for layer in layers} == {ALPHA}
    assert {len(kohya[f"{layer}.lora_down.weight"]) for layer in layers} == {RANK}
    assert {key for key in diffusers if not key.startswith("unet.")} == {
        f"{part}.text_model.{layer}.lora_{side}.weight"
        for part in PARTS[name]
        for layer in PROJECTIONS
        for side in "AB"
    }


def test_the_metadata_names_a_rate_for_each_part(run):
    with safe_open(run.adapter, framework="np") as file:
        metadata = file.metadata()

    rates = [metadata[key] for key in ("ss_learning_rate", "ss_unet_lr", "ss_text_encoder_lr")]
    assert rates == ["0.003"] * 3


@pytest.mark.parametrize("name", [SDXL], indirect=True)  # of Stable Diffusion 1.x: test_dreambooth.py
def test_three_steps_and_three_more_are_six_steps(name, twins, tmp_path, capsys):
    params = {"checkpoint_every": 3, "ema_decay": 0.9, "validation_every": 2, "early_stopping_patience": 5}
    straight = train(tmp_path / "straight", twins[name], **params)

    assert train(tmp_path / "resumed", twins[name], dies_after=3, **params) is None
    assert "resuming" not in capsys.readouterr().out
    resumed = train(tmp_path / "resumed", twins[name], **params)

    assert "resuming after step 3\n" in capsys.readouterr().out
    for path, expected in ((resumed.adapter, straight.adapter), (resumed.twin, straight.twin)):
        tensors = load_file(expected)
        assert all(torch.equal(tensor, tensors[key]) for key, tensor in load_file(path).items())
    losses = [run.events("result")[0]["eval_loss_after"] for run in (straight, resumed)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("name", [SDXL], indirect=True)
def test_a_run_in_half_precision_proves_its_files_too(name, twins, tmp_path):
    run = train(tmp_path / "run", twins[name], mixed_precision="bf16", gradient_checkpointing=True)

    assert run.events("result")[0]["reload_error"] < 1e-2


@pytest.fixture
def family(name, twins):
    module = importlib.import_module(inspect_base_model(twins[name]).module)
    return module.FAMILY.load(twins[name], device=CPU, dtype=torch.float32, adapts_text=True)


def data_of(family, prompts=("a red lorry", "گربه‌ای روی مبل")):
    """Made-up latents, each with a prompt of its own."""
    mean = torch.randn(len(prompts), 1, 4, 16, 16, generator=generator(1, "latents"))
    described = family.describe_image((128, 128), (128, 128))
    described = {key: torch.cat([tensor] * len(prompts)) for key, tensor in described.items()}
    places = tuple(range(len(prompts)))
    shelf = Shelf(mean, torch.full_like(mean, 0.1), places, described, tuple(str(place) for place in places))
    return Encoded((shelf,), family.encode_prompts(list(prompts)))


def stepper_of(family, recorder=None):
    params = TrainingParams(batch_size=2, lora_rank=4, learning_rate=1e-3, ema_decay=0.9)
    trained = adapter.attach(family, rank=params.lora_rank, alpha=4, seed=1)
    source = Source("train", data_of(family), weight=1.0, caption_dropout=0.5)
    return Stepper(family, trained.weights, [source], family.encode_prompts([""]), params, recorder=recorder)


def test_prompts_are_kept_as_tokens_and_read_anew(family, name):
    tokens = family.encode_prompts(["a red lorry"])

    assert tokens.keys() == PARTS[name].keys()
    assert {tensor.shape for tensor in tokens.values()} == {(1, 77)}
    family.free_encoders()
    assert family.encode_prompts(["a red lorry"]).keys() == tokens.keys()


@torch.no_grad()
def test_a_dropped_caption_is_read_as_the_empty_one(family):
    told, empty = family.encode_prompts(["a cat", "a dog"]), family.encode_prompts([""])
    described = {key: torch.cat([tensor] * 2) for key, tensor in family.describe_image((128, 128), (128, 128)).items()}
    noisy, timesteps = torch.randn(2, 4, 16, 16, generator=generator(1, "noise")), torch.tensor([100, 700])

    dropped = family.predict(noisy, timesteps, replace_dropped(told | described, empty, torch.tensor([True, False])))

    expected = family.predict(noisy, timesteps, family.encode_prompts(["", "a dog"]) | described)
    assert torch.equal(dropped, expected)
    assert not torch.equal(dropped, family.predict(noisy, timesteps, told | described))


@torch.no_grad()
def test_validation_and_samples_show_what_the_text_encoders_have_learned(family):
    trained = adapter.attach(family, rank=4, alpha=4, seed=1)
    data, empty = data_of(family), family.encode_prompts([""])
    prompt = {key: tensor[:1] for key, tensor in data.conditioning.items()}

    def seen():
        picture = family.sample(prompt, empty, seed=5, resolution=128, steps=2)
        return fixed_noise_loss(family, data), picture

    loss, picture = seen()
    for pair in trained.pairs:
        if pair.name.startswith("text_encoder"):
            pair.up.copy_(torch.randn(pair.up.shape, generator=generator(1, pair.name)) * 0.5)
    trained.weights.refresh()

    changed_loss, changed_picture = seen()
    assert changed_loss != loss
    assert not torch.equal(changed_picture, picture)


def test_recorded_steps_give_the_numbers_of_computed_ones(name, twins):
    rows = []
    for recorder in (None, FakeRecorder()):
        module = importlib.import_module(inspect_base_model(twins[name]).module)
        family = module.FAMILY.load(twins[name], device=CPU, dtype=torch.float32, adapts_text=True)
        stepper = stepper_of(family, recorder)
        losses = [float(stepper(step).loss) for step in range(1, 8)]
        rows.append((losses, stepper.weights.row.detach().clone(), stepper.average.clone()))

    (losses, row, average), (recorded_losses, recorded_row, recorded_average) = rows
    assert losses == recorded_losses
    assert torch.equal(row, recorded_row)
    assert torch.equal(average, recorded_average)


class NothingIsRead(TorchDispatchMode):
    """Fails where the host looks at a number, or at how many there are: a GPU would be waited for, a graph break."""

    FORBIDDEN = frozenset(
        {
            torch.ops.aten._local_scalar_dense.default,
            torch.ops.aten.is_nonzero.default,
            torch.ops.aten.equal.default,
            torch.ops.aten.nonzero.default,
            torch.ops.aten.masked_select.default,
            torch.ops.aten.unique_consecutive.default,
        }
    )

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func not in self.FORBIDDEN, func
        return func(*args, **(kwargs or {}))


def test_a_step_looks_at_no_number(family):
    stepper = stepper_of(family)
    (inputs,) = stepper._gather(1)

    with NothingIsRead():
        stepper._backward(inputs, 1.0)

    with pytest.raises(AssertionError), NothingIsRead():
        float(torch.ones(1))
