"""What preflight finds in a dataset; test_bad_inputs.py runs the whole program on the same."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib

import pytest
from PIL import Image

from lora_trainer.preflight import dataset_warnings, inspect_dataset, inspect_outputs, require_prompts
from tests.factories import picture_bytes
from tests.unit.trainer.base_models import fill_model
from tests.unit.trainer.documents import write_config


def png_header(width, height):
    """A PNG that claims its size and holds nothing."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + struct.pack(">I", 9)
        + b"IDAT"
    )


def fill_dataset(folder):
    folder.mkdir()
    (folder / "cat.png").write_bytes(picture_bytes(64, 48))
    (folder / "cat.txt").write_text("a cat\non a sofa", encoding="utf-8")


@pytest.fixture
def job(tmp_path):
    """A job folder whose preflight passes: config.json, dataset/, model/, outputs/."""
    fill_dataset(tmp_path / "dataset")
    fill_model(tmp_path / "model")
    (tmp_path / "outputs").mkdir()
    paths = {"dataset_path": "dataset", "base_model_path": "model", "output_path": "outputs"}
    write_config(tmp_path, **{key: str(tmp_path / name) for key, name in paths.items()})
    return tmp_path


def noise_picture():
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 64), os.urandom(3 * 64 * 64)).save(file, "PNG")
    return file.getvalue()


DATASETS = {
    "empty folder": ({"cat.png": None}, "the dataset has no images"),
    "truncated picture": ({"half.png": noise_picture()[:5000]}, "half.png cannot be read"),
    "no picture": ({"notes.jpg": b"hello"}, "notes.jpg is not a PNG, JPEG or WebP picture"),
    "empty file": ({"empty.webp": b""}, "empty.webp is not a PNG, JPEG or WebP picture"),
    "huge picture": ({"huge.png": png_header(60_000, 60_000)}, "huge.png has more than 64000000 pixels"),
    "large picture": ({"large.png": png_header(9_000, 9_000)}, "large.png has more than 64000000 pixels"),
    "caption not UTF-8": ({"cat.txt": "café".encode("latin-1")}, "cat.txt is not UTF-8 text"),
    "no caption to tell them apart": ({"cat.webp": picture_bytes(64, 48)}, "cat.png and cat.webp share one name"),
    "metadata not UTF-8": ({"metadata.jsonl": b"\xff"}, "metadata.jsonl is not UTF-8 text"),
    "metadata without text": ({"metadata.jsonl": b'{"file_name": "cat.png"}'}, "line 1 must hold file_name and text"),
    "metadata of no object": ({"metadata.jsonl": b"\n[]"}, "metadata.jsonl line 2 must hold file_name and text"),
    "metadata of a file elsewhere": (
        {"metadata.jsonl": b'{"file_name": "../cat.png", "text": "x"}'},
        "line 1 names '../cat.png', which is no picture of this folder",
    ),
    "metadata that names one twice": (
        {"metadata.jsonl": b'{"file_name": "cat.png", "text": "x"}\n' * 2},
        "metadata.jsonl line 2 names cat.png a second time",
    ),
    "endless caption": ({"cat.txt": b"x" * 100_000}, "cat.txt cannot be read (larger than 65536 bytes)"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # an error outside pytest
@pytest.mark.parametrize(("files", "sentence"), DATASETS.values(), ids=DATASETS)
def test_an_unusable_dataset_is_refused_by_name(job, files, sentence):
    for name, content in files.items():
        if content is None:
            (job / "dataset" / name).unlink()
        else:
            (job / "dataset" / name).write_bytes(content)

    assert_refused(lambda: inspect_dataset(job / "dataset"), 11, sentence)


def test_all_unusable_files_are_named_at_once(job):
    (job / "dataset" / "a.png").write_bytes(b"a")
    (job / "dataset" / "b.png").write_bytes(b"b")

    assert_refused(lambda: inspect_dataset(job / "dataset"), 11, "2 of 3 items are unusable: a.png is not")


def test_a_missing_dataset_folder_is_named(job):
    assert_refused(lambda: inspect_dataset(job / "nowhere"), 11, f"{job}/nowhere cannot be read (No such file")


def test_a_persian_caption_is_fine(job):
    caption = "گربه‌ای روی مبل"
    (job / "dataset" / "cat.txt").write_text(f"\ufeff{caption}\n", encoding="utf-8")

    assert [item.caption for item in inspect_dataset(job / "dataset")] == [caption]


def test_a_text_file_speaks_before_metadata(job):
    (job / "dataset" / "dog.png").write_bytes(picture_bytes(64, 64))
    lines = [{"file_name": "cat.png", "text": "unheard"}, {"file_name": "dog.png", "text": "سگ\nin a park"}]
    (job / "dataset" / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    assert [item.caption for item in inspect_dataset(job / "dataset")] == ["a cat on a sofa", "سگ in a park"]


def test_the_previews_of_a_camera_are_no_animation(job):
    first, second = Image.new("RGB", (64, 64)), Image.new("RGB", (32, 32))
    first.save(job / "dataset" / "camera.jpg", "MPO", save_all=True, append_images=[second])
    first.save(job / "dataset" / "moving.png", save_all=True, append_images=[first.rotate(90, fillcolor="red"), first])

    frames = {item.path.name: item.frames for item in inspect_dataset(job / "dataset")}

    assert frames["camera.jpg"] == 1
    assert frames["moving.png"] > 1


def test_a_dataset_without_any_word_needs_trigger_words(job):
    (job / "dataset" / "cat.txt").unlink()
    items = inspect_dataset(job / "dataset")

    require_prompts(items, ("sks",))
    assert_refused(lambda: require_prompts(items, ()), 11, "no image has a caption")


def test_a_disk_with_too_little_room_is_refused(job):
    inspect_outputs(job / "outputs")

    assert_refused(lambda: inspect_outputs(job / "outputs", needed_bytes=2**60), 16, "bytes free; a run needs at least")


def test_what_will_surprise_is_warned_of(job):
    (job / "dataset" / "copy.png").write_bytes((job / "dataset" / "cat.png").read_bytes())

    warnings = list(dataset_warnings(inspect_dataset(job / "dataset"), resolution=256, captions_matter=True))

    assert [warning.split()[0:4] for warning in warnings] == [
        ["2", "images", "are", "smaller"],
        ["1", "images", "have", "no"],
        ["1", "images", "are", "copies"],
    ]


def assert_refused(inspect, exit_code, sentence):
    with pytest.raises(Exception) as caught:
        inspect()
    assert getattr(caught.value, "exit_code", None) == exit_code, caught.value
    assert sentence in str(caught.value)
