"""What `make demo` runs once everything is set up: the real trainer image, as a subprocess with an empty home."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import safe_open

pytestmark = pytest.mark.docker


def run_demo(data_dir: Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LORRY_")}
    return subprocess.run(
        (sys.executable, "-m", "cli.main", "demo", "--data-dir", str(data_dir)),
        env=inherited | {"HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_demo_ends_with_a_verified_adapter(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    done = run_demo(tmp_path / "data", tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    name, _, path = lines[-1].partition(": ")
    assert name == "adapter"
    with safe_open(path, framework="np") as file:
        assert file.metadata()["lorry.base_model"] == "lorry/tiny-sd15"
        assert any(key.endswith(".alpha") for key in file.keys())  # noqa: SIM118 - safe_open is no mapping
    for fact in ("user 10001:10001", "capabilities dropped: ALL", "network none", "root file system read-only"):
        assert any(fact in line for line in lines), fact
    assert any("diffusers loads it in a fresh container" in line for line in lines)
    assert any(re.fullmatch(r"==> watch it in a browser: http\S+/signin\?code=\S+", line) for line in lines)
    assert list((tmp_path / "home").iterdir()) == []


def test_control_c_cancels_the_job_and_stops_the_server(tmp_path: Path) -> None:
    with subprocess.Popen(
        (sys.executable, "-m", "cli.main", "demo", "--data-dir", str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        assert any(line.startswith("train") for line in iter(demo.stdout.readline, ""))
        os.killpg(demo.pid, signal.SIGINT)  # what a terminal does: every process of the group gets it
        lines = demo.stdout.read().splitlines()
    assert demo.returncode == 130
    assert lines[-1].startswith("cancelled")
    assert "Finished server process" in (tmp_path / "serve.log").read_text()


def test_a_demo_without_its_image_says_why_and_shows_the_log(tmp_path: Path) -> None:
    failed = run_demo(tmp_path / "data", tmp_path, LORRY_IMAGE="no-such-image")
    assert failed.returncode == 1
    assert "no-such-image" in failed.stderr
    assert "serve.log" in failed.stderr
    assert "Traceback" not in failed.stderr
