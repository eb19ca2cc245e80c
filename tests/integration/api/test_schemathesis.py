"""Whatever the document allows, and much that it does not, is answered as the document says and never with a crash.

A test run asks the same questions every time, for a minute; `make fuzz` asks new ones for ten.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.fuzzing import Target, running_api

_LONG_SECONDS = os.environ.get("FUZZ_SECONDS")
SECONDS = int(_LONG_SECONDS or 60)
SEED = () if _LONG_SECONDS else ("--seed", "1")
# Starting, loading the document, and whatever was under way when the time was up.
OVERHEAD_SECONDS = 120
KNOWN_IN = 0.7  # of all requests; the others ask for ids that nobody has

# What a schema cannot say: what the catalogue has, which of two times comes first, what a url leads to, that 28.0 is
# not taken for a whole number, that bytes are a picture, or a text a stream's place.
_ALSO_REFUSED = [
    "submit_job",
    "create_job",
    "start_train",
    "stream_job",
    "stream_jobs",
    "get_statistics",
    "start_download",
    "follow_download",
    "begin_experiment",
    "change_experiment",
    "create_webhook",
    "set_job_priority",
    "set_limit",
    "upload_dataset",
    "add_items",
    "continue_job",
    "promote_checkpoint",
]
_ACCEPTED = ["2xx", "401", "403", "404", "409", "429", "503"]


@pytest.fixture
def target(data_dir: Path) -> Iterator[Target]:
    with running_api(data_dir) as target:
        yield target


def test_every_answer_is_documented_and_none_is_a_crash(target: Target, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(_config(target))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{target.url}/openapi.json", "--header", f"Authorization: Bearer {target.token}"),
            # Chains of requests (`stateful`) tell of links, which this document has none of.
            *("--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-time", str(SECONDS), "--no-color"),
            *SEED,
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS + OVERHEAD_SECONDS,
        check=False,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "unexpected error" not in target.log.read_text()


def _config(target: Target) -> str:
    """Ids that exist, for parameters of their names; and which refusals of valid requests are right."""
    lines = []
    for name, ids in target.known_ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(ids)}"]
    lines.append("[parameters]")
    for name in target.known_ids:
        lines.append(f'"path.{name}" = {{ dictionary = "{name}", probability = {KNOWN_IN} }}')
    lines.append(f'"body.dataset_id" = {{ dictionary = "dataset_id", probability = {KNOWN_IN} }}')
    # A text may be too long for its field and make the body too large.
    lines += ["[checks]", 'negative_data_rejection.expected-statuses = ["4xx"]']
    for operation in _ALSO_REFUSED:
        lines += ["[[operations]]", f'include-operation-id = "{operation}"']
        lines.append(f"checks.positive_data_acceptance.expected-statuses = {json.dumps([*_ACCEPTED, '400'])}")
    # A form cannot say an empty list or null: to the server these are fields that were left out.
    lines.append('checks.negative_data_rejection.expected-statuses = ["4xx", "201"]')
    # Nobody orchestrates, and that is what it then says.
    lines += ["[[operations]]", 'include-operation-id = "ready"']
    lines.append('checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]')
    return "\n".join(lines) + "\n"
