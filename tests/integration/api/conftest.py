"""A server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.running import Running, running_server


@pytest.fixture
def server(data_dir: Path) -> Iterator[Running]:
    with running_server(data_dir) as running:
        yield running
