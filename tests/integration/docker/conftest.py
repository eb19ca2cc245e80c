"""The real engine, and containers of the fake trainer's image."""

from __future__ import annotations

import json

import pytest

from orchestrator.adapters.docker import DockerContainerRuntime
from tests.factories import make_spec as make_any_spec

IMAGE = "lorry-fake-trainer"
ABSENT_IMAGE = "lorry-image-that-nobody-built"


@pytest.fixture
def image():
    return IMAGE


@pytest.fixture
def absent_image():
    return ABSENT_IMAGE


@pytest.fixture
def connect(engine):
    """`connect(suffix)`: a runtime of this test's instance, or of one beside it."""

    def connected(suffix="", **changes):
        return DockerContainerRuntime(
            **{
                "base_url": engine.base_url,
                "instance": engine.instance + suffix,
                "allowed_images": (IMAGE, ABSENT_IMAGE),
            }
            | changes
        )

    return connected


@pytest.fixture
def runtime(connect):
    return connect()


@pytest.fixture
def make_spec():
    """`make_spec(prints=(), exits=None, **changes)`: prints lines, then exits or waits for a signal."""

    def make(*, prints=(), exits=None, **changes):
        end = "signal.pause()" if exits is None else f"sys.exit({exits})"
        # JSON is a Python literal here: a list of texts.
        program = f"import signal, sys\nfor line in {json.dumps(prints)}: print(line, flush=True)\n{end}"
        return make_any_spec(**{"image": IMAGE, "command": ("python", "-c", program)} | changes)

    return make
