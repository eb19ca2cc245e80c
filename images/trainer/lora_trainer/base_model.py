"""Is a model folder one this trainer can load, and safely? Answered from its JSON and file headers, without torch.

The folder comes from outside, so each file is opened as hostile.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lora_trainer.errors import BadConfig, UnusableBaseModel, summarise
from lora_trainer.families import FAMILIES, FamilyEntry

MAX_HEADER_BYTES = 100 * 2**20
PICKLE_SUFFIXES = {".bin", ".ckpt", ".pt", ".pth"}
CODE_SUFFIXES = {".py", ".pyc", ".so"}
CODE_KEY = "auto_map"  # with it transformers and diffusers load classes from files beside the weights
LIBRARIES = ("diffusers", "transformers")
KNOWN_CLASSES = f"this trainer knows classes of {' and '.join(LIBRARIES)} only"
PARTS_WITHOUT_WEIGHTS = ("scheduler", "tokenizer", "tokenizer_2")


def inspect_base_model(folder: Path) -> FamilyEntry:
    """The model's family, if its folder is complete and holds safetensors, whose loading runs no code."""
    index = _read_json(folder / "model_index.json")
    class_name = index.get("_class_name")
    family = FAMILIES.get(str(class_name))
    if family is None:
        raise UnusableBaseModel(f"base model is a {class_name!r}; this trainer knows {', '.join(FAMILIES)}")
    problems = [*_code_problems(folder), *_class_problems(index, family.parts)]
    problems += [problem for part in family.parts if (problem := _part_problem(folder / part))]
    if problems:
        raise UnusableBaseModel(f"base model is unusable: {summarise(problems)}")
    return family


def require_text_encoder_lora(family: FamilyEntry) -> None:
    if not family.adapts_text:
        able = " and ".join(name for name, entry in FAMILIES.items() if entry.adapts_text)
        raise BadConfig(
            "training_params.text_encoder_lora: the language model that reads this base model's prompts is not "
            f"trained; leave it false, or take a {able}"
        )


def _code_problems(folder: Path) -> Iterator[str]:
    """Nothing here would run it; but who put it there expects it to run, and the model without it is another one."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.suffix in CODE_SUFFIXES:
            yield f"{name} is code, which is never run; {KNOWN_CLASSES}"
        elif path.suffix == ".json" and path.name.endswith("config.json") and CODE_KEY in _read_json(path):
            yield f"{name} asks for code of the model's own ({CODE_KEY}), which is never run; {KNOWN_CLASSES}"


def _class_problems(index: Mapping[str, object], parts: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """What model_index.json says of each needed part: [library, class]."""
    for part, known in parts.items():
        match index.get(part):
            case [library, _] if library not in LIBRARIES:
                yield f"{part} is of {library!r}; {KNOWN_CLASSES}"
            case [_, found] if known and found not in known:
                yield f"{part} is a {found!r}; this trainer knows {', '.join(known)} there"


def _part_problem(folder: Path) -> str | None:
    """One component of the pipeline; those without weights only need to be there."""
    if not folder.is_dir():
        return f"{folder.name}/ is missing"
    names = sorted(path.name for path in folder.iterdir())
    if folder.name in PARTS_WITHOUT_WEIGHTS:
        return None if names else f"{folder.name}/ is empty"
    weights = [folder / name for name in names if name.endswith(".safetensors")]
    if not weights:
        return _missing_weights(folder.name, names)
    problems = [problem for path in weights if (problem := _weights_problem(path))]
    return next(iter(problems), _missing_shard(folder, names))


def _missing_weights(part: str, names: Iterable[str]) -> str:
    pickles = [name for name in names if Path(name).suffix in PICKLE_SUFFIXES]
    if pickles:
        return f"{part}/{pickles[0]} is a pickle, which can run code when it is opened; only safetensors are loaded"
    return f"{part}/ holds no safetensors weights"


def _missing_shard(folder: Path, names: list[str]) -> str | None:
    """Large weights are several files, and an index says which."""
    for index in (name for name in names if name.endswith(".safetensors.index.json")):
        listed = _read_json(folder / index).get("weight_map")
        shards = {str(shard) for shard in listed.values()} if isinstance(listed, dict) else set()
        missing = sorted(shards - set(names))
        if missing:
            return f"{folder.name}/{missing[0]} is missing, which {index} lists"
    return None


def _weights_problem(path: Path) -> str | None:
    """A safetensors file is header length (8 bytes, little endian), JSON header, tensors. A cut-off file shows here."""
    name = f"{path.parent.name}/{path.name}"
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        if header_bytes > MAX_HEADER_BYTES:
            return f"{name} is not a safetensors file"
        header = file.read(header_bytes)
    try:
        tensors = [entry for key, entry in json.loads(header).items() if key != "__metadata__"]
        expected_bytes = 8 + header_bytes + max(entry["data_offsets"][1] for entry in tensors)
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{name} is not a safetensors file"
    found_bytes = path.stat().st_size
    return None if found_bytes == expected_bytes else f"{name} has {found_bytes} bytes instead of {expected_bytes}"


def _read_json(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise UnusableBaseModel(f"base model has no readable {path.name} in {path.parent} ({exc.strerror})") from exc
    except (ValueError, RecursionError) as exc:
        raise UnusableBaseModel(f"base model's {path.name} is not valid JSON ({exc})") from exc
    return document if isinstance(document, dict) else {}
