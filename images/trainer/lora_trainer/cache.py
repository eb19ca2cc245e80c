"""What training does not change is computed once: the latent posterior of each image, the text of each prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lora_trainer.data import load_pixels
from lora_trainer.errors import NotFinite
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.preflight import Item


@dataclass(frozen=True, slots=True)
class Encoded:
    """n items on the training device, in the order they were given."""

    mean: Tensor  # (n, c, h, w)
    std: Tensor  # (n, c, h, w)
    conditioning: Conditioning  # tensors of (n, ...)
    keys: tuple[str, ...]  # content hash of each image

    def __len__(self) -> int:
        return len(self.keys)


def encode_items(
    family: Family,
    items: Sequence[Item],
    prompts: Sequence[str],
    resolution: int,
    before_each: Callable[[], None],
) -> Encoded:
    """`before_each` is called ahead of every image and may stop the work by raising."""
    means, stds = [], []
    for item in items:
        before_each()
        mean, std = family.encode_image(torch.from_numpy(load_pixels(item.path, resolution)))
        if not (mean.isfinite().all() and std.isfinite().all()):
            raise NotFinite(f"the VAE turns {item.path.name} into values that are not finite")
        means.append(mean)
        stds.append(std)
    return Encoded(
        mean=torch.stack(means),
        std=torch.stack(stds),
        conditioning=family.encode_prompts(list(prompts)),
        keys=tuple(item.sha256 for item in items),
    )


def take(conditioning: Conditioning, indices: Tensor | list[int]) -> Conditioning:
    return {name: tensor[indices] for name, tensor in conditioning.items()}


def replace_dropped(conditioning: Conditioning, empty: Conditioning, is_dropped: Tensor) -> Conditioning:
    """The same batch with the empty caption wherever `is_dropped` (b,) says so."""
    return {
        name: torch.where(is_dropped.view(-1, *[1] * (tensor.dim() - 1)), empty[name], tensor)
        for name, tensor in conditioning.items()
    }
