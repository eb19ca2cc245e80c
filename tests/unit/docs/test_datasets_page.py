"""docs/datasets.md tells the limits, gates and thresholds that there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain import dataset_report as report
from orchestrator.domain.dataset import Approval, Exclusion, UploadLimits
from orchestrator.domain.lineage import MAX_LISTED_ITEMS

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "datasets.md").read_text()
LIMITS = UploadLimits()


@pytest.mark.parametrize("word", [*Approval, *Exclusion])
def test_every_word_of_curation_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT


@pytest.mark.parametrize("problem", report.Problem)
def test_every_problem_is_explained(problem: str) -> None:
    assert f"| `{problem}` |" in TEXT


@pytest.mark.parametrize(
    "row",
    [
        f"| files | {LIMITS.max_files} |",
        f"| one file | {LIMITS.max_file_bytes // 1024**2} MiB |",
        f"| a zip's member unpacked, over packed | {LIMITS.max_ratio} |",
        f"| pixels of a picture | {LIMITS.max_pixels:,} |",
        f"| characters of a caption | {LIMITS.max_caption_length} |",
        f"is below {report.BLURRED_BELOW:.0f}",
        f"differ in {report.NEAR_DUPLICATE_BITS} bits or fewer",
        f"more than {report.LONG_CAPTION} characters",
        f"are {report.STEPS_PER_ITEM} an item, {report.MIN_STEPS} at least and {report.MAX_STEPS} at most",
        f"for up to {MAX_LISTED_ITEMS} items",
    ],
)
def test_every_figure_is_the_codes(row: str) -> None:
    assert row in TEXT
