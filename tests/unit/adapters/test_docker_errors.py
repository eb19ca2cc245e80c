"""The one seam: which answers of an engine prove something, and what."""

from __future__ import annotations

import pytest
import requests
from docker.errors import APIError, DockerException

from orchestrator.adapters.docker.errors import engine_words, refused_create, refused_start, translated
from orchestrator.domain.errors import LaunchRefused, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason


def api_error(status: int, words: str) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("said no", response=response, explanation=words)


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("cut"),
        requests.ReadTimeout("slow"),
        DockerException("odd"),
        ConnectionResetError("gone"),
        api_error(500, "server error"),
        api_error(403, "a proxy said no"),
    ],
)
def test_whatever_is_no_clear_answer_proves_nothing(error):
    with pytest.raises(RuntimeUnavailable, match="list its containers"), translated("list its containers"):
        raise error


def test_harmless_answers_end_the_call_quietly():
    with translated("remove it", harmless=(404,)):
        raise api_error(404, "No such container")


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (404, "No such image: nope:latest", EndReason.IMAGE_MISSING),
        (400, "invalid mount config: bind source path does not exist", EndReason.LAUNCH_REFUSED),
    ],
)
def test_a_refused_create_names_its_reason(status, words, reason):
    error = refused_create(api_error(status, words), "nope")

    assert isinstance(error, LaunchRefused)
    assert error.reason is reason


def test_a_create_that_met_a_server_error_may_have_worked():
    assert isinstance(refused_create(api_error(500, "timed out"), "nope"), RuntimeUnavailable)


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (500, 'could not select device driver "" with capabilities: [[gpu]]', EndReason.GPU_UNAVAILABLE),
        (500, "nvidia-container-cli: device error: GPU-8f6e: unknown device", EndReason.GPU_FAILED),
        (500, "nvidia-container-cli: initialization error: no such file or directory", EndReason.GPU_FAILED),
        (500, "Failed to initialize NVML: Unknown Error", EndReason.GPU_FAILED),
        (400, 'exec: "python": executable file not found in $PATH: unknown', EndReason.COMMAND_UNUSABLE),
        (400, 'exec: "/bin/train": stat /bin/train: no such file or directory', EndReason.COMMAND_UNUSABLE),
        (400, 'exec: "/train_lora.py": permission denied: unknown', EndReason.COMMAND_UNUSABLE),
        (500, 'exec: "python": executable file not found in $PATH: unknown', EndReason.LAUNCH_REFUSED),
        (500, "error setting rlimit type 7: operation not permitted", EndReason.LAUNCH_REFUSED),
        (500, "could not find bridge docker0", EndReason.LAUNCH_REFUSED),
    ],
)
def test_a_refused_start_keeps_the_engines_words(status, words, reason):
    error = refused_start(api_error(status, words))

    assert error.reason is reason
    assert words in error.message


def test_the_engines_words_are_one_line_of_bearable_length():
    words = engine_words(api_error(500, "first\n\n  second\t" + "x" * 10_000))

    assert words.startswith("first second xxx")
    assert len(words) == 400
