"""What training does not change is computed once: the latent posterior of each image, the text of each prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lora_trainer.buckets import Bucket
from lora_trainer.data import Example, load_pixels
from lora_trainer.errors import NotFinite
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.tensor_cache import TensorCache


@dataclass(frozen=True, slots=True)
class Batch:
    """b samples of one shape."""

    mean: Tensor  # (b, c, h, w)
    std: Tensor  # (b, c, h, w)
    conditioning: Conditioning  # tensors of (b, ...)


@dataclass(frozen=True, slots=True)
class Shelf:
    """n items of one shape on the training device, each in v variants: as it is and, with flips, mirrored."""

    mean: Tensor  # (n, v, c, h, w)
    std: Tensor  # (n, v, c, h, w)
    prompts: tuple[int, ...]  # row of each item's prompt in the conditioning
    described: Conditioning  # what the model is told of each picture's size, n rows
    keys: tuple[str, ...]  # content hash of each image

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Pictures of all shapes, and the prompts they share: equal ones are held once."""

    shelves: tuple[Shelf, ...]
    conditioning: Conditioning  # one row for each different prompt

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(shelf) for shelf in self.shelves)

    @property
    def variants(self) -> int:
        return self.shelves[0].mean.shape[1]

    def batch(self, shelf: int, items: list[int], variants: list[int]) -> Batch:
        chosen = self.shelves[shelf]
        places = list(zip(items, variants, strict=True))
        return Batch(
            mean=torch.stack([chosen.mean[place] for place in places]),
            std=torch.stack([chosen.std[place] for place in places]),
            conditioning=take(self.conditioning, [chosen.prompts[item] for item in items])
            | take(chosen.described, items),
        )


def encode(
    family: Family, examples: Sequence[Example], cache: TensorCache, *, flip: bool, before_each: Callable[[], None]
) -> Encoded:
    """`before_each` is called ahead of every image and may stop the work by raising."""
    prompts = sorted({example.prompt for example in examples})
    rows = {prompt: row for row, prompt in enumerate(prompts)}
    by_bucket: dict[Bucket, list[Example]] = {}
    for example in examples:
        by_bucket.setdefault(example.bucket, []).append(example)
    conditioning = _conditioning(family, prompts, cache)
    shelves = []
    for bucket in sorted(by_bucket):
        shelved = by_bucket[bucket]
        latents = [_latents(family, example, cache, 1 + flip, before_each) for example in shelved]
        described = [family.describe_image(example.size, (bucket.width, bucket.height)) for example in shelved]
        shelves.append(
            Shelf(
                mean=torch.stack([mean for mean, _ in latents]),
                std=torch.stack([std for _, std in latents]),
                prompts=tuple(rows[example.prompt] for example in shelved),
                described={name: torch.cat([entry[name] for entry in described]) for name in described[0]},
                keys=tuple(example.sha256 for example in shelved),
            )
        )
    return Encoded(tuple(shelves), conditioning)


def take(conditioning: Conditioning, rows: Sequence[int]) -> Conditioning:
    """Row by row: with a list as index a GPU would wait until the list has been copied to it."""
    return {name: torch.stack([tensor[row] for row in rows]) for name, tensor in conditioning.items()}


def replace_dropped(conditioning: Conditioning, empty: Conditioning, is_dropped: Tensor) -> Conditioning:
    """The same batch with the empty caption wherever `is_dropped` (b,) says so; what is no text stays."""
    return conditioning | {
        name: torch.where(is_dropped.view(-1, *[1] * (tensor.dim() - 1)), tensor, conditioning[name])
        for name, tensor in empty.items()
    }


def _conditioning(family: Family, prompts: list[str], cache: TensorCache) -> Conditioning:
    """All together: encoded in other company a text differs in its last bits, and a resumed run would with it.

    Where text encoders are trained these are tokens, which take no longer to make than to load.
    """
    if family.adapts_text:
        return family.encode_prompts(prompts)
    known = cache.load("prompts", prompts)
    if known is not None:
        return {name: tensor.to(family.denoiser.device) for name, tensor in known.items()}
    conditioning = family.encode_prompts(prompts)
    cache.save(conditioning, "prompts", prompts)
    return conditioning


def _latents(
    family: Family, example: Example, cache: TensorCache, variants: int, before_each: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each variant, (v, c, h, w)."""
    before_each()
    shape = (example.bucket.width, example.bucket.height)
    facts = ("latents", example.sha256, shape, "centre crop", variants)
    known = cache.load(*facts)
    if known is not None:
        device = family.denoiser.device
        return known["mean"].to(device), known["std"].to(device)
    pixels = torch.from_numpy(load_pixels(example.path, example.bucket))
    posteriors = [family.encode_image(shown) for shown in (pixels, pixels.flip(-1))[:variants]]
    mean, std = (torch.stack(parts) for parts in zip(*posteriors, strict=True))
    if not (mean.isfinite().all() and std.isfinite().all()):
        raise NotFinite(f"the VAE turns {example.path.name} into values that are not finite")
    cache.save({"mean": mean, "std": std}, *facts)
    return mean, std
