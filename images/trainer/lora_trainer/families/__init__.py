"""The model families this trainer knows, by the pipeline class a model folder names. Free of torch, for preflight.

A new family is one module with a class that fulfils `lora_trainer.families.family.Family`, and one line here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FamilyEntry:
    module: str  # imported once preflight has passed; its `load` builds the family
    parts: tuple[str, ...]  # folders of the model that must be there


FAMILIES = {
    "StableDiffusionPipeline": FamilyEntry(
        module="lora_trainer.families.sd15",
        parts=("unet", "vae", "text_encoder", "tokenizer", "scheduler"),
    ),
}
