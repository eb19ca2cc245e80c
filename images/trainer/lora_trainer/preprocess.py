"""The preprocess phase: pictures and prompts become tensors, and the encoders are given back."""

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from lora_trainer.cache import Encoded, encode
from lora_trainer.class_images import draw_class_images
from lora_trainer.clip_score import find_clip
from lora_trainer.config import JobConfig, TrainingParams
from lora_trainer.data import Example, default_sample_prompt, example_of, split
from lora_trainer.evaluate import Sampler
from lora_trainer.events import Events
from lora_trainer.families.family import Conditioning, Family
from lora_trainer.preflight import Item
from lora_trainer.step import Source
from lora_trainer.stop import StopRequest
from lora_trainer.team import ALONE, Team
from lora_trainer.tensor_cache import TensorCache

SECONDS_BETWEEN_REPORTS = 1.0
CACHE_FOLDER = ".cache"  # hidden: what only a resumed run needs is no artifact


@dataclass(frozen=True, slots=True)
class Job:
    """What every phase may use."""

    config: JobConfig
    events: Events
    stop: StopRequest
    team: Team = ALONE

    @property
    def outputs(self) -> Path:
        return Path(self.config.output_path)

    @property
    def cache(self) -> Path:
        return self.outputs / CACHE_FOLDER

    @property
    def encoded(self) -> Path:
        """Where latents and texts are kept: for this job, or for all of its user's."""
        return Path(self.config.cache_path) if self.config.cache_path else self.cache / "encoded"

    @property
    def samples_a_step(self) -> int:
        params = self.config.training_params
        return params.batch_size * params.gradient_accumulation_steps * self.team.size


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the later phases read, encoded and on the device."""

    family: Family  # without the encoders that nothing needs any more
    train: Encoded
    held_out: Encoded | None
    prior: Encoded | None  # class images, with prior preservation
    empty: Conditioning  # of the empty caption, one sample
    sampler: Sampler
    identity: str  # of everything that training depends on

    @property
    def val_count(self) -> int:
        return len(self.held_out) if self.held_out else 0

    @property
    def evaluated(self) -> Encoded:
        return self.held_out or self.train

    def sources(self, params: TrainingParams) -> list[Source]:
        sources = [Source("train", self.train, weight=1.0, caption_dropout=params.caption_dropout)]
        if self.prior:
            # Never without its prompt: the empty caption belongs to the subject's pictures.
            sources.append(Source("prior", self.prior, weight=params.prior_loss_weight, caption_dropout=0.0))
        return sources


class Preparation:
    """Called ahead of every picture: stops if asked to, and shows now and then that the work goes on."""

    def __init__(self, job: Job, *, total: int, train_count: int, val_count: int) -> None:
        self._job = job
        self._total = total
        self._counts = {"train_count": train_count, "val_count": val_count}
        samples = job.config.training_params.steps * job.samples_a_step
        self._total_epochs = math.ceil(samples / train_count)
        self._begun = 0
        self._reported_at = 0.0

    def __call__(self) -> None:
        self._job.stop.raise_if_made("while preparing images")
        if time.monotonic() - self._reported_at >= SECONDS_BETWEEN_REPORTS:
            self._report()
        self._begun += 1

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        self._job.events.emit(
            "progress",
            step=0,
            total_steps=self._job.config.training_params.steps,
            epoch=0,
            total_epochs=self._total_epochs,
            progress=0,
            eta_seconds=None,
            prepared=self._begun,
            to_prepare=self._total,
            **self._counts,
        )
        print(f"preparing image {self._begun + 1} of {self._total}", flush=True)


def preprocess(job: Job, family: Family, items: list[Item]) -> Prepared:
    params = job.config.training_params
    train_items, held_out_items = split(items, params.train_val_split)
    train_examples = [example_of(item, job.config) for item in train_items]
    held_out_examples = [example_of(item, job.config) for item in held_out_items]
    class_images = params.class_images if params.prior_preservation else 0
    before_each = Preparation(
        job,
        total=len(items) + 2 * class_images,  # drawn, then encoded
        train_count=len(train_items),
        val_count=len(held_out_items),
    )
    cache = TensorCache(job.encoded, origin=_encoder_of(job.config, family))
    empty = family.encode_prompts([""])

    def encoded(examples: list[Example], *, flip: bool) -> Encoded | None:
        return encode(family, examples, cache, flip=flip, before_each=before_each) if examples else None

    train = encode(family, train_examples, cache, flip=params.horizontal_flip, before_each=before_each)
    prepared = Prepared(
        family=family,
        train=train,
        held_out=encoded(held_out_examples, flip=False),
        prior=encoded(_class_examples(job, family, empty, before_each), flip=False),
        empty=empty,
        sampler=_build_sampler(job, family, empty, example_of(items[0], job.config).prompt),
        identity=_identity(job, train_examples),
    )
    family.free_encoders()
    return prepared


def _class_examples(job: Job, family: Family, empty: Conditioning, before_each: Preparation) -> list[Example]:
    config, params = job.config, job.config.training_params
    if not (params.prior_preservation and params.class_prompt):
        return []
    origin = [config.base_model, config.base_model_revision, params.class_prompt, params.resolution, params.seed]
    return draw_class_images(
        family,
        job.cache / "class-images" / _digest(origin)[:16],
        prompt=params.class_prompt,
        empty=empty,
        count=params.class_images,
        seed=params.seed,
        resolution=params.resolution,
        before_each=before_each,
    )


def _build_sampler(job: Job, family: Family, empty: Conditioning, first_prompt: str) -> Sampler:
    params = job.config.training_params
    prompts = list(params.sample_prompts) or [default_sample_prompt(first_prompt, job.config)]
    return Sampler(
        family,
        job.events,
        job.outputs,
        prompts=prompts,
        conditioning=family.encode_prompts(prompts),
        empty=empty,
        seed=params.seed,
        resolution=params.resolution,
        every=params.sample_every,
        score=find_clip(Path(job.config.base_model_path).parent, job.events),
    )


def _encoder_of(config: JobConfig, family: Family) -> str:
    return f"{config.base_model}@{config.base_model_revision} on {family.denoiser.device} as {family.denoiser.dtype}"


def _identity(job: Job, examples: list[Example]) -> str:
    """Changes with everything that changes the training; a name, a path or a lineage entry does not.

    Nor does the number of steps: what was learned in the first thousand is the same where two thousand are to come.
    """
    config, params = job.config, asdict(job.config.training_params)
    del params["steps"]
    # How a step is computed may change when memory runs out; what it learns from may not.
    del params["gradient_checkpointing"]
    del params["gradient_accumulation_steps"]
    params["batch_size"] = job.samples_a_step
    samples = [(example.sha256, example.prompt) for example in examples]
    return _digest([config.base_model, config.base_model_revision, params, samples])


def _digest(facts: list[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
