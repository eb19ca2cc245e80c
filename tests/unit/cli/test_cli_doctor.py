"""Doctor's checks: each finding with its level and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.doctor import (
    check_data_dir,
    check_devices,
    check_disk,
    check_engine,
    check_image,
    check_names,
    check_store,
)
from cli.finding import Finding, Level
from cli.settings import unknown_names
from orchestrator.domain.engine import EngineFacts
from orchestrator.domain.errors import RuntimeUnavailable, StoreUnavailable

FACTS = EngineFacts(engine_id="e", version="28.0", has_nvidia_runtime=True)
PLAIN = EngineFacts(engine_id="e", version="28.0", has_nvidia_runtime=False)


class Engine:
    """The two questions doctor asks; `digests` None is an engine that is down."""

    def __init__(self, digests: dict[str, str] | None) -> None:
        self._digests = digests

    def facts(self) -> EngineFacts:
        self._known()
        return FACTS

    def image_digest(self, image: str) -> str | None:
        return self._known().get(image)

    def _known(self) -> dict[str, str]:
        if self._digests is None:
            raise RuntimeUnavailable("The Docker Engine did not answer.")
        return self._digests


ENGINE: Any = Engine({"training-image": "sha256:abc"})
DOWN: Any = Engine(None)


def test_an_engine_that_answers_is_named_with_its_version() -> None:
    finding, facts = check_engine(ENGINE, "unix:///socket")
    assert (finding.level, facts) == (Level.OK, FACTS)
    assert "28.0 answers at unix:///socket" in finding.message


def test_an_engine_that_is_down_fails_with_what_to_do() -> None:
    finding, facts = check_engine(DOWN, "unix:///socket")
    assert finding.is_failing
    assert facts is None
    assert "LORRY_DOCKER_HOST" in finding.advice


@pytest.mark.parametrize(
    ("engine", "image", "allowed", "level"),
    [
        (ENGINE, "training-image", (), Level.OK),
        (ENGINE, "training-image", ("training-image",), Level.OK),
        (ENGINE, "training-image", ("sha256:abc",), Level.OK),
        (ENGINE, "training-image", ("other",), Level.FAILING),
        (ENGINE, "missing", (), Level.FAILING),
        (DOWN, "training-image", (), Level.FAILING),
    ],
)
def test_the_image_must_be_there_and_allowed(engine: Any, image: str, allowed: tuple[str, ...], level: Level) -> None:
    assert check_image(engine, image, allowed).level is level


@pytest.mark.parametrize(
    ("devices", "facts", "level"),
    [
        (("GPU-1",), FACTS, Level.OK),
        (("GPU-1",), None, Level.OK),
        (("GPU-1",), PLAIN, Level.WARNING),
        (("cpu-0", "cpu-1"), PLAIN, Level.WARNING),
        ((), FACTS, Level.FAILING),
    ],
)
def test_there_must_be_something_to_train_on(devices: tuple[str, ...], facts: EngineFacts | None, level: Level) -> None:
    assert check_devices(devices, facts).level is level


@pytest.mark.parametrize(
    ("is_migrated", "level"),
    [(True, Level.OK), (False, Level.WARNING), (StoreUnavailable("The job store did not answer."), Level.FAILING)],
)
def test_the_store_must_answer(is_migrated: Any, level: Level) -> None:
    assert check_store(is_migrated).level is level


def test_a_data_dir_is_made_and_left_clean(tmp_path: Path) -> None:
    assert check_data_dir(tmp_path / "new").level is Level.OK
    assert list((tmp_path / "new").iterdir()) == []


def test_a_data_dir_open_to_strangers_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert check_data_dir(tmp_path).level is Level.WARNING


def test_a_data_dir_that_cannot_be_made_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_data_dir(tmp_path / "file" / "data").is_failing


def test_too_little_disk_fails(tmp_path: Path) -> None:
    assert check_disk(tmp_path, 0).level is Level.OK
    assert check_disk(tmp_path, 2**62).is_failing
    assert check_disk(tmp_path / "missing", 0).is_failing


def test_unknown_variables_are_named() -> None:
    assert check_names([]).level is Level.OK
    assert "LORRY_PROT" in check_names(["LORRY_PROT"]).message


def test_a_finding_is_one_line_with_its_advice() -> None:
    finding = Finding(Level.FAILING, "disk", "It is full.", "Free some.")
    assert str(finding) == "failing  disk      It is full. Free some."


def test_slips_of_the_pen_in_settings_are_found() -> None:
    names = {"LORRY_PROT": "1", "LORRY_PORT": "1", "LORRY_TOKEN": "x", "LORRY_URL": "y", "HOME": "/"}
    assert unknown_names(names) == ["LORRY_PROT"]
