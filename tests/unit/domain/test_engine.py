"""What an engine's own words are judged to mean for its operator."""

from __future__ import annotations

import pytest

from orchestrator.domain.engine import EngineFacts, engine_warnings

MIN_FREE_BYTES = 1024**3


def warnings_for(**facts):
    known = {"engine_id": "e", "version": "28.0", "has_nvidia_runtime": False} | facts
    return engine_warnings(EngineFacts(**known), min_free_bytes=MIN_FREE_BYTES)


def test_an_engine_that_says_little_is_not_warned_about():
    assert warnings_for() == []


def test_without_live_restore_jobs_end_with_the_engine():
    (warning,) = warnings_for(has_live_restore=False)

    assert "live-restore" in warning


@pytest.mark.parametrize(
    ("version", "is_old"),
    [
        ("1.1.5+ds1", True),
        ("1.0.99", True),
        ("1.1.12", False),
        ("1.1.13~rc", False),
        ("1.2.0", False),
        ("2.0.0", False),
        ("unknown", False),
    ],
)
def test_a_runc_that_lets_containers_out_is_named(version, is_old):
    assert any(version in warning for warning in warnings_for(runc_version=version)) is is_old


def test_an_engine_that_runs_out_of_room_is_named_with_its_folder():
    (warning,) = warnings_for(data_root="/var/lib/docker", data_root_free_bytes=MIN_FREE_BYTES // 2)

    assert "0.5 GiB" in warning
    assert "/var/lib/docker" in warning
