"""What an adapter was made from, in its job's record and in its file."""

from __future__ import annotations

import dataclasses

from orchestrator.domain.dataset import DatasetVersion, VersionItem
from orchestrator.domain.lineage import MAX_LISTED_ITEMS, as_metadata, config_digest, lineage_of
from orchestrator.domain.registered_model import ModelVersion
from orchestrator.domain.training import TrainingConfig
from tests.factories import NOW, make_job, make_model

REGISTERED = ModelVersion(
    id="model-1", user_id="user-1", name="my cat", version=3, base_model="lorry/tiny-sd15", created_at=NOW
)
# The longest that an entry may be, by configs/schemas/job-config.v1.json.
MAX_ENTRY_LENGTH = 4096


def _version(items):
    listed = tuple(VersionItem(f"{number:036}", f"{number}.png", f"{number:064}", "a caption") for number in items)
    return DatasetVersion(dataset_id="dataset-1", sha256="d" * 64, items=listed, created_at=NOW)


def _lineage(job, items=2):
    return lineage_of(job, _version(range(items)), make_model(), REGISTERED, image_digest="sha256:1", at=NOW)


def test_every_fact_of_the_record_stands_in_the_file_but_the_files_own_hash_and_the_time():
    lineage = _lineage(make_job(attempt=1, continues="job-1", continues_from="step-000500"))
    in_file = {name.removeprefix("lorry.") for name in as_metadata(lineage)}

    facts = {field.name for field in dataclasses.fields(lineage)}
    assert facts - {"items", "adapter_sha256", "recorded_at"} <= in_file
    assert {"dataset_items", "dataset_item_count"} <= in_file


def test_items_are_named_by_id_and_hash_as_long_as_they_fit():
    fits, too_many = (as_metadata(_lineage(make_job(), items)) for items in (MAX_LISTED_ITEMS, MAX_LISTED_ITEMS + 1))

    assert fits["lorry.dataset_items"].split("\n")[1] == f"{1:036} {1:064}"
    assert "lorry.dataset_items" not in too_many
    assert too_many["lorry.dataset_item_count"] == str(MAX_LISTED_ITEMS + 1)
    assert max(map(len, fits.values())) <= MAX_ENTRY_LENGTH


def test_no_caption_is_told():
    assert "a caption" not in str(as_metadata(_lineage(make_job())))


def test_equal_requests_have_equal_digests_and_a_seed_makes_another():
    one, same, other = make_job(), make_job(name="another"), make_job(config=TrainingConfig(seed=1))

    assert config_digest(one) == config_digest(same) != config_digest(other)
