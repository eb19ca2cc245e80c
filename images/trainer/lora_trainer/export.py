"""The adapter files, and the proof that they work: reloaded by diffusers, compared, seen to change a picture."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from lora_trainer.adapter import Pair
from lora_trainer.checkpoint import sha256_of
from lora_trainer.config import JobConfig
from lora_trainer.errors import AdapterRejected
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.files import writing
from lora_trainer.objective import generator

MAX_SLUG_CHARACTERS = 60
# A lost alpha is an error of 0.5. The floor is float32's own noise, for adapters that hardly do anything yet.
MAX_RELOAD_ERROR = 1e-2
NOISE_FLOOR = 1e-5


@dataclass(frozen=True, slots=True)
class AdapterFile:
    path: Path
    format: str  # "kohya" | "diffusers"

    def describe(self, outputs: Path) -> dict[str, object]:
        return {
            "path": str(self.path.relative_to(outputs)),
            "format": self.format,
            "sha256": sha256_of(self.path),
            "size_bytes": self.path.stat().st_size,
        }


def export(adapter: list[Pair], config: JobConfig, metadata: dict[str, str]) -> list[AdapterFile]:
    """The kohya file is the main one: it carries alpha where every program looks for it."""
    _require_useful(adapter)
    outputs = Path(config.output_path)
    params = config.training_params
    main = AdapterFile(outputs / f"{slug(config.name)}.safetensors", "kohya")
    _write(main.path, kohya_tensors(adapter, params.lora_alpha), metadata)
    twin = AdapterFile(outputs / "diffusers" / "pytorch_lora_weights.safetensors", "diffusers")
    _write(twin.path, diffusers_tensors(adapter, params.lora_alpha / params.lora_rank), metadata)
    return [main, twin]


def kohya_tensors(adapter: list[Pair], alpha: int) -> dict[str, Tensor]:
    layers: dict[str, list[Pair]] = {}
    for pair in adapter:
        layers.setdefault(pair.network.kohya_key(pair.module), []).append(pair)
    tensors = {}
    for key, parts in layers.items():
        # Parts of one fused layer keep their own pairs: down one above the other, up in blocks on the diagonal. The
        # rank grows by their number, so alpha does too.
        tensors[f"{key}.lora_down.weight"] = torch.cat([part.down.detach() for part in parts]).contiguous()
        tensors[f"{key}.lora_up.weight"] = torch.block_diag(*(part.up.detach() for part in parts)).contiguous()
        tensors[f"{key}.alpha"] = torch.tensor(float(alpha * len(parts)))
    return tensors


def diffusers_tensors(adapter: list[Pair], strength: float) -> dict[str, Tensor]:
    """These keys have no place for alpha, and readers take 1 for a missing strength: it goes into `up` itself."""
    tensors = {}
    for pair in adapter:
        tensors[f"{pair.name}.lora_A.weight"] = pair.down.detach().contiguous()
        tensors[f"{pair.name}.lora_B.weight"] = (pair.up.detach() * strength).contiguous()
    return tensors


def build_metadata(config: JobConfig, family: Family, *, steps: int, train_count: int) -> dict[str, str]:
    """What other programs read (kohya's ss_ keys, modelspec 1.0.1) and the job's lineage. No captions, no paths."""
    params = config.training_params
    side, rate = params.resolution, str(params.learning_rate)
    # kohya's scripts name a rate for each part where both are trained.
    rates = {"ss_unet_lr": rate, "ss_text_encoder_lr": rate} if params.text_encoder_lora else {}
    return dict(config.lineage) | {
        "format": "pt",
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(params.lora_rank),
        "ss_network_alpha": str(float(params.lora_alpha)),
        "ss_base_model_version": family.kohya_base_model_version,
        "ss_sd_model_name": config.base_model,
        "ss_output_name": config.name,
        "ss_steps": str(steps),
        "ss_max_train_steps": str(params.steps),
        "ss_learning_rate": rate,
        **rates,
        "ss_lr_scheduler": params.lr_scheduler,
        "ss_resolution": f"({side}, {side})",
        "ss_seed": str(params.seed),
        "ss_num_train_images": str(train_count),
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": family.architecture,
        "modelspec.implementation": "diffusers",
        "modelspec.title": config.name,
        "modelspec.resolution": f"{side}x{side}",
        "modelspec.prediction_type": family.schedule.prediction_type.removesuffix("_prediction"),
        "modelspec.trigger_phrase": ", ".join(config.trigger_words),
    }


def slug(name: str) -> str:
    """A file name that any system can carry; the full name stands in the metadata."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name)[:MAX_SLUG_CHARACTERS].strip("-") or "adapter"


@torch.no_grad()
def check_reload(
    family: Family, files: list[AdapterFile], conditioning: Conditioning, latent_shape: torch.Size
) -> tuple[Family, float]:
    """Load each file into a fresh copy of the family and compare one prediction with the trained one's, all in float32.

    Returns the copy that holds the main file, and the worst error as a share of the adapter's effect.
    """
    noisy = torch.randn((1, *latent_shape), generator=generator(0, "reload")).to(family.denoiser.device)
    timestep = torch.tensor([len(family.schedule) // 2], device=noisy.device)

    def predict(loaded: Family) -> Tensor:
        for network in loaded.networks:
            network.model.float()
        return loaded.predict(noisy, timestep, conditioning)

    trained, fresh, worst = predict(family), family, 0.0
    for file in reversed(files):  # the main file comes last
        fresh = family.load_again()
        effect = float((trained - predict(fresh)).norm())
        fresh.load_adapter(file.path)
        error = float((trained - predict(fresh)).norm())
        worst = max(worst, _judge_reload(file.format, error, effect, NOISE_FLOOR * float(trained.norm())))
    return fresh, worst


def _judge_reload(name: str, error: float, effect: float, floor: float) -> float:
    if effect == 0:
        raise AdapterRejected("the trained adapter does not change the model's prediction")
    if not error <= MAX_RELOAD_ERROR * effect + floor:
        raise AdapterRejected(
            f"the {name} file acts differently once loaded: off by {error / effect:.3g} of its effect"
        )
    return error / effect


def check_picture(fresh: Family, make_picture: Callable[[], Tensor]) -> float:
    """Mean absolute difference (0..1) that the adapter reloaded into `fresh` makes in a picture drawn with it."""
    with_adapter = make_picture()
    for network in fresh.networks:
        network.model.disable_adapters()
    change = float((with_adapter - make_picture()).abs().mean())
    if not change > 0:
        raise AdapterRejected("the adapter does not change a sample picture")
    return change


def _require_useful(adapter: list[Pair]) -> None:
    for pair in adapter:
        if not (pair.down.isfinite().all() and pair.up.isfinite().all()):
            raise AdapterRejected(f"the trained weights of {pair.name} are not finite")
    if not any(pair.up.any() for pair in adapter):
        raise AdapterRejected("every trained weight is still zero")


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    with writing(path):
        save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)  # safetensors makes private files, which the orchestrator's user could not collect
