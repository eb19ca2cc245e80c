"""The diagnostic job: its table, and that it learns, stops and resumes."""

from __future__ import annotations

import json

import pytest
import torch

from lora_trainer.config import DiagnosticConfig, load_config
from lora_trainer.diagnostic import made_up, train_diagnostic
from lora_trainer.errors import NotFinite, StoppedOnRequest, UnusableDataset
from lora_trainer.events import EventLog
from lora_trainer.stop import StopRequest
from lora_trainer.table import read_table
from tests.unit.trainer.documents import diagnostic_document

pytestmark = pytest.mark.trainer

CSV = "height,weight\n" + "".join(f"{n},{2 * n + 1}\n" for n in range(20))
JSONL = "".join(json.dumps({"height": n, "weight": 2 * n + 1}) + "\n" for n in range(20))


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("people.csv", CSV, ("height", "weight")),
        ("people.csv", CSV.partition("\n")[2], ("x0", "x1")),
        ("people.jsonl", JSONL, ("height", "weight")),
    ],
)
def test_a_table_is_read_from_its_file_or_folder(tmp_path, name, text, columns):
    (tmp_path / name).write_text(text, encoding="utf-8-sig")

    table = read_table(tmp_path)

    assert table == read_table(tmp_path / name)
    assert (table.name, table.columns, table.rows[3]) == (name, columns, [3.0, 7.0])


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", CSV + "1,x\n2\n", r"a\.csv: line 22 is not 2 numbers; line 23 is not 2 numbers"),
        ("a.csv", CSV + "1,nan\n", "line 22 is not 2 numbers"),
        ("a.jsonl", JSONL + "{\n", r"a\.jsonl: line 21 is not 2 numbers"),
        ("a.jsonl", JSONL + '{"height": 1}\n', "line 21 is not 2 numbers"),
        ("a.csv", "1,2\n", r"a\.csv has 1 rows of 2 columns; at least 8 of 2 are needed"),
        ("a.csv", "", r"a\.csv has 0 rows of 0 columns"),
        ("a.png", "", r"holds no \.csv or \.jsonl file"),
    ],
)
def test_an_unusable_table_is_refused_with_its_lines(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(UnusableDataset, match=sentence):
        read_table(tmp_path)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnusableDataset, match="nowhere cannot be read"):
        read_table(tmp_path / "nowhere")


def configured(folder, **params):
    path = folder / "config.json"
    path.write_text(json.dumps(diagnostic_document(output_path=str(folder), training_params=params)))
    config = load_config(path)
    assert isinstance(config, DiagnosticConfig)
    return config


def events(folder, kind):
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def finish(config, folder, table=None):
    train_diagnostic(config, table, EventLog(folder), StopRequest())
    return torch.load(folder / "model.pt", weights_only=True)


@pytest.mark.parametrize(("has_table", "epochs"), [(True, 30), (False, 8)], ids=["table", "made-up rows"])
def test_it_learns_what_it_is_given(tmp_path, has_table, epochs):
    (tmp_path / "people.csv").write_text(CSV)
    table = read_table(tmp_path) if has_table else None

    model = finish(configured(tmp_path, epochs=epochs, batch_size=8), tmp_path, table)

    (result,) = events(tmp_path, "result")
    assert result["eval_loss_after"] < 0.2 * result["eval_loss_before"]
    assert result["train_count"] + result["val_count"] == (20 if has_table else 256)
    assert model["columns"] == (("height", "weight") if has_table else None)
    assert [event["phase"] for event in events(tmp_path, "phase")] == ["preprocess", "train", "evaluate", "register"]
    assert events(tmp_path, "progress")[-1]["progress"] == 100
    assert any("val_loss" in event for event in events(tmp_path, "metrics"))


class StopAtStep(EventLog):
    """Asks for a stop once a checkpoint after `step` was reported, as a signal then would."""

    def __init__(self, folder, stop, step):
        super().__init__(folder)
        self._stop = stop
        self._step = step

    def emit(self, kind, **fields):
        super().emit(kind, **fields)
        if kind == "checkpoint" and fields["step"] >= self._step:
            self._stop.is_made = True


def test_a_stopped_one_ends_where_a_straight_one_ends(tmp_path):
    folders = [tmp_path / "straight", tmp_path / "stopped"]
    for folder in folders:
        folder.mkdir()
    straight = finish(configured(folders[0], epochs=3), folders[0])

    config = configured(folders[1], epochs=3)
    stop = StopRequest()
    with pytest.raises(StoppedOnRequest, match=r"at step 20; a checkpoint is saved"):
        train_diagnostic(config, None, StopAtStep(folders[1], stop, step=20), stop)
    resumed = finish(config, folders[1])

    assert all(torch.equal(resumed["network"][name], weights) for name, weights in straight["network"].items())


@pytest.mark.parametrize("content", [b"", b"damaged", None], ids=["empty", "damaged", "of other settings"])
def test_a_checkpoint_that_does_not_fit_is_passed_over(tmp_path, content):
    finish(configured(tmp_path, epochs=1), tmp_path)
    if content is not None:
        (tmp_path / "checkpoint.pt").write_bytes(content)
    changed = {} if content is not None else {"seed": 1}

    finish(configured(tmp_path, epochs=1, **changed), tmp_path)

    assert [event["step"] for event in events(tmp_path, "metrics")].count(1) == 2


def test_rows_beyond_all_measure_end_with_a_loss_that_is_not_finite(tmp_path):
    (tmp_path / "people.csv").write_text(CSV + "1e300,1e300\n" * 5)

    with pytest.raises(NotFinite):
        finish(configured(tmp_path, epochs=1), tmp_path, read_table(tmp_path))


def test_made_up_rows_follow_from_the_seed():
    assert torch.equal(made_up(1), made_up(1))
    assert not torch.equal(made_up(1), made_up(2))
