"""Bad inputs end before torch is imported, with their own exit code and a sentence that names the file."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from lora_trainer.preflight import dataset_warnings, inspect_dataset
from tests.factories import picture_bytes
from tests.unit.trainer.base_models import fill_model, pickled
from tests.unit.trainer.documents import TRAINER, write_config

RUN_AND_REPORT = """
import sys
from pathlib import Path
from lora_trainer.run import run

exit_code = run(Path(sys.argv[1]))
print("imported:", {"torch", "diffusers", "transformers"} & set(sys.modules) or None)
sys.exit(exit_code)
"""


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


@pytest.mark.parametrize(
    ("spoil", "exit_code", "code"),
    [
        (lambda job: write_config(job, output_path=str(job / "outputs"), v=2), 10, "bad_config"),
        (lambda job: (job / "dataset" / "cat.png").write_bytes(b"x"), 11, "unusable_dataset"),
        (lambda job: pickled(job / "model"), 12, "unusable_base_model"),
    ],
    ids=["config", "dataset", "model"],
)
def test_a_hopeless_job_ends_with_its_own_code_before_torch_is_imported(job, spoil, exit_code, code):
    spoil(job)

    ended = subprocess.run(
        [sys.executable, "-c", RUN_AND_REPORT, str(job / "config.json")],
        cwd=TRAINER,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == exit_code, ended
    assert "imported: None" in ended.stdout
    last_event = json.loads((job / "outputs" / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last_event["type"], last_event["code"]) == ("error", code)
    assert last_event["message"] in ended.stdout
