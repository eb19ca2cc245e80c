"""How well a picture shows its prompt: the cosine between CLIP's two vectors (arXiv:2104.08718, without its factor)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import CLIPModel, CLIPTokenizer

from lora_trainer.errors import UnusableBaseModel
from lora_trainer.events import Events
from lora_trainer.families.loading import load_part, load_tokenizer

FOLDER = "openai--clip-vit-base-patch32"  # beside the base model, as models from the hub lie there
MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of OpenAI's pictures


class ClipScore:
    """On the CPU: the GPU's memory is the training's."""

    def __init__(self, folder: Path) -> None:
        self._model: Any = load_part(CLIPModel, folder.parent, folder.name, torch.device("cpu"), dtype=torch.float32)
        self._tokenizer = load_tokenizer(CLIPTokenizer, folder.parent, folder.name)
        words, known = len(self._tokenizer), self._model.config.text_config.vocab_size
        if words != known:
            raise UnusableBaseModel(f"its tokenizer has {words} words, of which it knows {known}")

    @torch.no_grad()
    def __call__(self, picture: Tensor, prompt: str) -> float:
        """-1 to 1; `picture` is square, (h, w, 3) in 0..1."""
        tokens = self._tokenizer(
            [prompt],
            max_length=self._model.config.text_config.max_position_embeddings,
            truncation=True,
            return_tensors="pt",
        )
        output = self._model(**tokens, pixel_values=self._pixels(picture)[None])
        return float(torch.nn.functional.cosine_similarity(output.image_embeds, output.text_embeds))

    def _pixels(self, picture: Tensor) -> Tensor:
        """(3, side, side), as CLIP was trained on."""
        side = self._model.config.vision_config.image_size
        image = Image.fromarray((picture.numpy() * 255).round().astype(np.uint8))
        small = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)
        pixels = torch.from_numpy(small / 255)
        return ((pixels - torch.tensor(MEAN)) / torch.tensor(DEVIATION)).permute(2, 0, 1)


def find_clip(models: Path, events: Events) -> ClipScore | None:
    """The one in the folder of all models; a job does without one that is missing, or no good."""
    folder = models / FOLDER
    if not folder.is_dir():
        return None
    try:
        return ClipScore(folder)
    except UnusableBaseModel as exc:
        message = f"samples get no CLIP score: {FOLDER} cannot be used ({exc})"
        print(f"warning: {message}", flush=True)
        events.emit("warning", message=message)
        return None
