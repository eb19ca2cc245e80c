"""The one seam where errors of docker-py and requests become ours.

Only an answer of the engine counts as a refusal. A timeout, a cut connection or an answer we cannot read leaves open
whether the engine did what was asked, so it is RuntimeUnavailable and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException, ImageNotFound

from orchestrator.domain.errors import LaunchRefused, LorryError, RuntimeUnavailable
from orchestrator.domain.lifecycle import EndReason

NOT_FOUND = 404
CONFLICT = 409
_BAD_REQUEST = 400
_FIRST_SERVER_ERROR = 500
_MAX_WORDS_LENGTH = 400
# What the engine says about a command that is not in the image, or is no program (exit codes 127 and 126).
_NO_SUCH_COMMAND = ("executable file not found", "no such file or directory", "permission denied", "is a directory")


class RuntimeSilent(RuntimeUnavailable):
    """The engine let a call's whole time pass: it hangs, and the next call would cost as much."""


@contextmanager
def translated(action: str, *, harmless: tuple[int, ...] = ()) -> Iterator[None]:
    """Run one engine call. `harmless` lists the statuses that mean there is nothing left to do."""
    try:
        yield
    except APIError as error:
        if error.status_code not in harmless:
            raise RuntimeUnavailable(f"The Docker Engine could not {action}: {engine_words(error)}") from error
    except (DockerException, requests.RequestException, OSError) as error:
        # While it connects, docker-py hides what happened behind an error of its own.
        if isinstance(error, requests.Timeout) or isinstance(error.__cause__, requests.Timeout):
            raise RuntimeSilent(f"The Docker Engine did not answer in time when asked to {action}.") from error
        raise RuntimeUnavailable(f"The Docker Engine did not answer when asked to {action}: {error}") from error


def refused_create(error: APIError, image: str) -> LorryError:
    """What a failed create means. After a server error the container may exist: the next pass looks by name."""
    if isinstance(error, ImageNotFound) or (error.status_code == NOT_FOUND and "image" in engine_words(error)):
        return LaunchRefused(EndReason.IMAGE_MISSING, f"The image {image} is not on this machine.")
    if error.status_code is None or error.status_code >= _FIRST_SERVER_ERROR:
        return RuntimeUnavailable(f"The Docker Engine could not create the container: {engine_words(error)}")
    return LaunchRefused(
        EndReason.LAUNCH_REFUSED, f"The Docker Engine refused to create the container: {engine_words(error)}"
    )


def refused_start(error: APIError) -> LaunchRefused:
    """What a failed start means. Here a server error is an answer too: the engine tried, and says what went wrong."""
    words = engine_words(error)
    if "could not select device driver" in words:
        return LaunchRefused(
            EndReason.GPU_UNAVAILABLE, f"A GPU is required, but the Docker Engine has no driver for it: {words}"
        )
    if "nvidia-container-cli" in words or "NVML" in words:
        return LaunchRefused(EndReason.GPU_FAILED, f"The GPU or its driver refused the container: {words}")
    if error.status_code == _BAD_REQUEST and any(sign in words for sign in _NO_SUCH_COMMAND):
        return LaunchRefused(
            EndReason.COMMAND_UNUSABLE, f"The training image has no trainer in it that can be started: {words}"
        )
    return LaunchRefused(EndReason.LAUNCH_REFUSED, f"The Docker Engine refused to start the container: {words}")


def engine_words(error: APIError) -> str:
    """The engine's own explanation on one line, shortened."""
    words = " ".join(str(error.explanation or error).split())
    return words if len(words) <= _MAX_WORDS_LENGTH else words[: _MAX_WORDS_LENGTH - 3] + "..."
