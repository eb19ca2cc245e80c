"""What `make setup` promises: an engine that answers, images for any user id, a second run that does nothing."""

import json
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ANY_UID = "54321:54321"
IMAGES = ("lorry-fake-trainer", "training-image")

pytestmark = pytest.mark.docker


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def run_hardened(image: str, *command: str, outputs: Path | None = None) -> subprocess.CompletedProcess[str]:
    mounts = () if outputs is None else ("--volume", f"{outputs}:/workspace/outputs")
    limits = ("--user", ANY_UID, "--read-only", "--network", "none", "--cap-drop", "ALL", "--tmpfs", "/tmp")  # noqa: S108
    return run("docker", "run", "--rm", *limits, *mounts, image, *command)


def test_a_reachable_engine_is_used_as_it_is_and_at_once():
    started_at = time.monotonic()
    done = run("images/engine.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - started_at < 5


def test_an_unreachable_docker_host_is_named_and_nothing_is_installed():
    done = run("env", "DOCKER_HOST=unix:///nowhere/docker.sock", "images/engine.sh")
    assert done.returncode == 1
    assert "unix:///nowhere/docker.sock" in done.stderr


def test_a_second_build_finds_every_image_up_to_date():
    run("images/build.sh", "all")
    done = run("images/build.sh", "all")
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "up to date" not in line] == []


def test_an_unknown_image_is_refused_with_the_usage():
    done = run("images/build.sh", "trainr")
    assert done.returncode == 1
    assert "all|fake|trainer|lorry" in done.stderr


@pytest.mark.parametrize("image", IMAGES)
def test_any_user_id_can_read_everything_in_the_image(image):
    unreadable = ("find", "/opt/venv", "/workspace", "!", "-readable", "-o", "-type", "d", "!", "-executable")
    done = run_hardened(image, *unreadable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("image", IMAGES)
def test_every_trainer_image_builds_the_built_in_model(image, tmp_path):
    tmp_path.chmod(0o777)
    build = ("python", "build_model.py", "--model", "lorry/tiny-sd15", "--out", "/workspace/outputs/model")
    done = run_hardened(image, *build, outputs=tmp_path)
    assert done.returncode == 0, done.stderr
    index = json.loads((tmp_path / "model" / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
