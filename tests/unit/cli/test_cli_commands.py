"""The commands as a user meets them: output, exit codes, no secrets, no tracebacks."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands.logs import new_lines

Lorry = Callable[..., Any]
MakeJob = Callable[..., Any]

DATASET = "22222222-2222-4222-8222-222222222222"
SUBMITTED = {"ok": True, "success": True, "job_id": "j", "status": "running", "message": "Started."}
UPLOADED = {
    "id": DATASET,
    "name": "cats",
    "item_count": 1,
    "captioned_count": 1,
    "size_bytes": 1_234_567,
    "created_at": "2026-11-21T03:00:00Z",
}


@pytest.fixture(autouse=True)
def _here(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_URL", server.url)


def put_file(server: Any, name: str, content: bytes) -> None:
    listed = {
        "id": "a1",
        "job_id": "j",
        "kind": "adapter",
        "name": name.rpartition("/")[2],
        "path": name,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    server.data("/training/jobs/j/artifacts", [listed])
    server.answer("GET", "/artifacts/a1/download", content)


def test_submit_sends_options_and_settings_and_prints_the_job_id(server: Any, lorry: Lorry) -> None:
    server.answer("POST", "/training/submit", SUBMITTED)
    ended = lorry(
        "submit", DATASET, "--base-model", "lorry/tiny-sd15", "--steps", "120", "--rank", "8", "--trigger", "sks cat",
        "--set", "min_snr_gamma=5", "--set", "gradient_checkpointing=true", "--set", "lr_scheduler=cosine",
        "--name", "my cat",
    )  # fmt: skip
    assert (ended.code, ended.out) == (0, "j\n")
    assert server.seen[0].json() == {
        "dataset_id": DATASET,
        "type": "lora",
        "base_model": "lorry/tiny-sd15",
        "config": {
            "steps": 120,
            "lora_rank": 8,
            "min_snr_gamma": 5,
            "gradient_checkpointing": True,
            "lr_scheduler": "cosine",
        },
        "trigger_words": ["sks cat"],
        "name": "my cat",
    }


def test_submitting_a_folder_uploads_its_pictures_and_captions_first(server: Any, lorry: Lorry, tmp_path: Path) -> None:
    for name in ("one.jpg", "one.txt", "two.PNG", "notes.txt", "table.csv"):
        (tmp_path / name).write_bytes(b"x")
    server.answer("POST", "/datasets/upload", {"ok": True, "data": UPLOADED})
    server.answer("POST", "/training/submit", SUBMITTED)
    ended = lorry("submit", str(tmp_path), "--base-model", "m/m", "--json")
    assert json.loads(ended.out)["job_id"] == "j"
    upload, submission = server.seen
    content = upload.body
    archive = zipfile.ZipFile(io.BytesIO(content[content.index(b"PK\x03\x04") :]))
    assert archive.namelist() == ["one.jpg", "two.PNG", "one.txt"]
    assert submission.json()["dataset_id"] == DATASET


def test_submit_and_watch_ends_as_the_job_ends(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.answer("POST", "/training/submit", SUBMITTED)
    server.data("/training/jobs/j", make_job(status="failed", end_reason="killed", error_message="It was killed."))
    ended = lorry("submit", DATASET, "--base-model", "m/m", "--watch")
    assert ended.code == 1
    assert "failed (killed): It was killed." in ended.err


def test_a_mistyped_setting_is_answered_with_the_nearest_one(server: Any, lorry: Lorry) -> None:
    ended = lorry("submit", DATASET, "--base-model", "m/m", "--set", "lerning_rate=1")
    assert ended.code == 2
    assert "did you mean learning_rate?" in ended.err
    assert server.seen == []


@pytest.mark.parametrize("arguments", [("--set", "steps"), ("--set", "zzz=1")])
def test_a_malformed_setting_is_wrong_usage(lorry: Lorry, arguments: tuple[str, ...]) -> None:
    assert lorry("submit", DATASET, "--base-model", "m/m", *arguments).code == 2


def test_neither_id_nor_folder_is_wrong_usage(lorry: Lorry) -> None:
    ended = lorry("submit", "no-such-folder", "--base-model", "m/m")
    assert (ended.code, ended.err) == (2, "no-such-folder is neither the id of a dataset nor a folder here.\n")


def test_a_folder_without_pictures_is_wrong_usage(lorry: Lorry, tmp_path: Path) -> None:
    ended = lorry("datasets", "upload", str(tmp_path))
    assert ended.code == 2
    assert "holds no pictures" in ended.err


def test_a_zip_is_uploaded_as_it_is(server: Any, lorry: Lorry, tmp_path: Path) -> None:
    (tmp_path / "cats.zip").write_bytes(b"PK-anything")
    server.answer("POST", "/datasets/upload", {"ok": True, "data": UPLOADED})
    ended = lorry("datasets", "upload", str(tmp_path / "cats.zip"))
    assert (ended.code, ended.out) == (0, f"{DATASET}\n")
    assert b"PK-anything" in server.seen[0].body
    assert b"cats" in server.seen[0].body


def test_jobs_are_a_table_that_no_name_can_paint_over(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.data("/training/jobs", [make_job(name="[red]گربه\x1b[2J")], total=41, page=1)
    ended = lorry("jobs", "--status", "running", "--search", "cat")
    assert ended.code == 0
    assert "[red]گربه\ufffd[2J" in ended.out
    assert "0.1235" in ended.out
    assert "0.1000 at 50" in ended.out
    assert "Page 1: 1 of 41 jobs" in ended.out
    assert server.seen[0].query["status"] == ["running"]


def test_jobs_are_sorted_by_the_server(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    best = {"loss": {"value": 0.1, "step": 50}, "val_loss": {"value": 0.2, "step": 40}}
    server.data("/training/jobs", [make_job(best=best)], total=1, page=1)
    assert "0.2000 at 40" in lorry("jobs", "--sort", "best_val_loss").out
    assert server.seen[0].query["sort"] == ["best_val_loss"]


def test_no_jobs_are_said_so(server: Any, lorry: Lorry) -> None:
    server.data("/training/jobs", [], total=0, page=1)
    assert lorry("jobs").out == "No jobs.\n"


def test_json_is_alone_on_stdout_and_keeps_its_script(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.data("/training/jobs", [make_job(name="گربه")], total=1, page=1)
    ended = lorry("jobs", "--json")
    assert "گربه" in ended.out
    assert json.loads(ended.out)["data"][0]["name"] == "گربه"


def test_watching_with_json_keeps_progress_off_stdout(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.data("/training/jobs/j", make_job(status="completed"))
    ended = lorry("watch", "j", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["status"] == "completed"
    assert "completed" in ended.err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [((), True), (("--from-scratch",), False), (("--from-checkpoint", "step-000500"), "step-000500")],
)
def test_retry_asks_for_another_attempt_from_the_wanted_checkpoint(
    server: Any, lorry: Lorry, make_job: MakeJob, options: tuple[str, ...], wanted: object
) -> None:
    server.answer("POST", "/training/jobs/j/retry", {"ok": True, "data": make_job(status="queued")})
    ended = lorry("retry", "j", *options)
    assert ended.out.startswith("Job j: another attempt is queued, now queued.")
    assert server.seen[-1].json() == {"from_checkpoint": wanted}


def test_continue_prints_the_new_jobs_id_and_what_it_goes_on_from(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    found = {"checkpoint": "step-000437", "step": 437, "steps": 600, "differences": [], "remarks": ["As it would."]}
    server.answer("POST", "/training/jobs/j/continue", {"ok": True, "data": found | {"job": make_job(id="k")}})
    ended = lorry("continue", "j", "--steps", "600")
    assert (ended.code, ended.out) == (0, "k\n")
    assert ended.err == "It goes on from step-000437 to step 600.\nAs it would.\n"
    assert server.seen[0].json() == {"steps": 600, "from_checkpoint": None}


def test_cancel_now_asks_for_no_time_to_save(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.answer("POST", "/training/jobs/j/cancel", {"ok": True, "data": make_job()})
    server.data("/training/jobs/j", make_job())
    assert lorry("cancel", "j", "--now").code == 0
    assert server.seen[0].json() == {"save": False}


def test_cancel_says_how_the_job_stands_now(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.answer("POST", "/training/jobs/j/cancel", {"ok": True, "data": make_job()})
    server.data("/training/jobs/j", make_job(status="cancelled"))
    ended = lorry("cancel", "j", "--reason", "wrong dataset")
    assert ended.out == "Job j: cancellation requested, now cancelled.\n"
    assert server.seen[0].json() == {"reason": "wrong dataset"}


def test_logs_are_printed_without_escape_sequences(server: Any, lorry: Lorry) -> None:
    server.data("/training/jobs/j/logs", ["step 1\tloss 0.5", "\x1b]0;owned\x07"])
    ended = lorry("logs", "j", "--tail", "2")
    assert ended.out == "step 1\tloss 0.5\n\ufffd]0;owned\ufffd\n"
    assert server.seen[0].query == {"tail": ["2"]}


def test_following_a_log_prints_each_line_once(server: Any, lorry: Lorry, make_job: MakeJob) -> None:
    server.data("/training/jobs/j/logs", ["a", "b"])
    server.data("/training/jobs/j/logs", ["a", "b", "c"])
    server.data("/training/jobs/j", make_job(status="completed"))
    assert lorry("logs", "j", "--follow").out == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], ["a"], ["a"]),
        (["a"], ["a"], []),
        (["a", "b"], ["b", "c"], ["c"]),
        (["a", "a"], ["a", "a", "a"], ["a"]),
        (["a"], ["x", "y"], ["x", "y"]),
        (["a"], [], []),
    ],
)
def test_new_lines_are_those_behind_the_overlap(before: list[str], after: list[str], expected: list[str]) -> None:
    assert new_lines(before, after) == expected


def test_download_writes_checks_and_does_not_fetch_twice(server: Any, lorry: Lorry, tmp_path: Path) -> None:
    put_file(server, "samples/one.png", b"picture")
    assert lorry("download", "j", "--into", str(tmp_path)).code == 0
    assert lorry("download", "j", "--into", str(tmp_path)).code == 0
    assert (tmp_path / "samples/one.png").read_bytes() == b"picture"
    assert [seen.path for seen in server.seen].count("/api/artifacts/a1/download") == 1


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "."])
def test_a_file_name_never_leaves_the_folder(server: Any, lorry: Lorry, tmp_path: Path, name: str) -> None:
    put_file(server, name, b"x")
    ended = lorry("download", "j", "--into", str(tmp_path / "into"))
    assert ended.code == 1
    assert "would leave the folder" in ended.err
    assert not (tmp_path / "into").exists()


def test_an_unknown_file_is_answered_with_those_there_are(server: Any, lorry: Lorry) -> None:
    put_file(server, "adapter.safetensors", b"x")
    ended = lorry("download", "j", "adapter")
    assert (ended.code, ended.err) == (2, "Job j has no file adapter. It has: adapter.safetensors.\n")


def test_datasets_are_listed(server: Any, lorry: Lorry) -> None:
    server.data("/datasets", [UPLOADED], total=1)
    assert "1.2 MB" in lorry("datasets", "list").out


def test_a_datasets_items_are_shown_with_why_some_are_left_out(server: Any, lorry: Lorry) -> None:
    item = {"id": "i1", "original_name": "cat\x1b[31m.png", "caption": "a cat", "excluded": "not_approved"}
    item |= {"width": 640, "height": 480, "size_bytes": 2_000}
    server.data(f"/datasets/{DATASET}/items", [item], total=51, page=2)

    ended = lorry("datasets", "show", DATASET, "--page", "2")

    assert server.seen[0].query == {"page": ["2"], "page_size": ["50"]}
    assert all(cell in ended.out for cell in ("i1", "640 x 480", "2.0 kB", "not_approved", "a cat"))
    assert "\x1b" not in ended.out


def test_a_report_says_what_is_wrong_and_what_to_do(server: Any, lorry: Lorry) -> None:
    found = {
        "resolution": 768,
        "item_count": 9,
        "trainable_count": 7,
        "excluded_items": {"not_approved": 2},
        "buckets": [{"width": 768, "height": 768, "count": 7}],
        "findings": [
            {"problem": "blurred", "message": "7 items are blurred.", "item_ids": [f"i{n}" for n in range(7)]}
        ],
        "advice": [{"advice": "Add pictures.", "reason": "They are few."}],
    }
    server.data(f"/datasets/{DATASET}/report", found)

    ended = lorry("datasets", "report", DATASET, "--resolution", "768")

    assert server.seen[0].query == {"resolution": ["768"]}
    assert ended.out.splitlines() == [
        "7 of 9 items may be trained on. Left out: 2 not approved.",
        "Shapes at resolution 768: 7 at 768 x 768.",
        "- 7 items are blurred. i0, i1, i2, i3, i4 ...",
        "* Add pictures. They are few.",
    ]
    assert json.loads(lorry("datasets", "report", DATASET, "--json").out) == found


def test_a_deleted_dataset_is_named(server: Any, lorry: Lorry) -> None:
    server.answer("DELETE", f"/datasets/{DATASET}", {"ok": True, "data": UPLOADED})

    ended = lorry("datasets", "delete", DATASET)

    assert (ended.code, ended.out) == (0, "Deleted cats (1 pictures).\n")


def test_metadata_is_stripped_from_an_upload_on_request(server: Any, lorry: Lorry, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(b"x")
    server.answer("POST", "/datasets/upload", {"ok": True, "data": UPLOADED})

    lorry("datasets", "upload", str(tmp_path), "--strip-exif")

    assert b'name="strip_exif"\r\n\r\ntrue' in server.seen[0].body


def test_a_refusal_has_exit_code_3(server: Any, lorry: Lorry) -> None:
    server.refuse("GET", "/training/jobs/j/logs", 404, "NOT_FOUND", "There is no job j.")
    ended = lorry("logs", "j")
    assert (ended.code, ended.err) == (3, "Could not read the log of job j: There is no job j. (NOT_FOUND)\n")


def test_no_server_has_exit_code_4(lorry: Lorry, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = lorry("models", "list", "--url", "http://127.0.0.1:1")
    assert ended.code == 4
    assert "no answer from http://127.0.0.1:1" in ended.err


def test_the_token_is_in_no_output(server: Any, lorry: Lorry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORRY_TOKEN", "lorry_very-secret")
    server.refuse("GET", "/training/jobs", 401, "TOKEN_INVALID", "The bearer token is not known here.")
    ended = lorry("jobs")
    assert ended.code == 3
    assert "very-secret" not in ended.out + ended.err


def test_without_a_token_the_way_to_one_is_shown(lorry: Lorry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LORRY_TOKEN")
    ended = lorry("jobs")
    assert ended.code == 2
    assert "lorry token create" in ended.err


def test_a_token_with_odd_characters_is_refused_without_being_shown(
    lorry: Lorry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORRY_TOKEN", "lorry_a b")
    ended = lorry("jobs")
    assert ended.code == 2
    assert "lorry_a b" not in ended.err


def test_help_names_the_exit_codes(lorry: Lorry) -> None:
    assert "4 no server answered" in lorry("--help").out
