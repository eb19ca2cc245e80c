"""`lorry doctor` about a project: every mistake has its sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from cli.doctor_supabase import check_clock, check_datasets, check_keys, check_store_of, check_supabase
from cli.finding import Level
from orchestrator.adapters.sql import SqlDatasetStore, connect, migrate
from orchestrator.adapters.supabase import DatasetsSeen, ProjectFacts
from orchestrator.settings import Settings
from tests.factories import make_dataset
from tests.integration.supabase.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseServer
from tests.pgbouncer import running_pgbouncer
from tests.postgres import Postgres

Diagnose = Callable[..., list[tuple[Level, str]]]


@pytest.fixture
def diagnose(supabase: SupabaseServer, project_url: str, tmp_path: Path) -> Iterator[Diagnose]:
    """Level and text of every finding; keyword arguments are settings."""
    database = connect(project_url)
    migrate(database)
    SqlDatasetStore(database).add(make_dataset(), [])

    def examine(**settings: str) -> list[tuple[Level, str]]:
        defaults = {
            "supabase_url": supabase.url,
            "supabase_publishable_key": PUBLISHABLE_KEY,
            "database_url": project_url,
        }
        chosen = Settings(data_dir=tmp_path, **defaults | settings)  # type: ignore[arg-type]
        return [(finding.level, f"{finding.message} {finding.advice}") for finding in check_supabase(chosen)]

    yield examine
    database.close()


def test_a_project_that_is_set_up_well_gets_no_complaint(diagnose: Diagnose) -> None:
    assert {level for level, _ in diagnose()} == {Level.OK}


def test_without_supabase_nothing_is_asked() -> None:
    assert check_supabase(Settings()) == []


def test_a_project_that_nobody_answers_for_is_named(diagnose: Diagnose, supabase: SupabaseServer) -> None:
    supabase.broken.add("/")
    [(level, text)] = diagnose()
    assert level is Level.FAILING
    assert "LORRY_SUPABASE_URL" in text


def test_a_data_api_that_is_away_is_not_taken_for_a_wrong_key(diagnose: Diagnose, supabase: SupabaseServer) -> None:
    supabase.broken.add("/rest")
    level, text = diagnose()[-1]
    assert level is Level.WARNING
    assert "could not say" in text


@pytest.mark.parametrize(("key", "hint"), [(SECRET_KEY, "it is the secret key"), ("sb_publishable_x", "refuses")])
def test_a_wrong_key_is_told_by_what_is_wrong_with_it(diagnose: Diagnose, key: str, hint: str) -> None:
    level, text = diagnose(supabase_publishable_key=key)[-1]
    assert level is Level.FAILING
    assert hint in text


def test_a_table_open_to_strangers_fails(diagnose: Diagnose, project_url: str) -> None:
    with psycopg.connect(project_url, autocommit=True) as database:
        database.execute("GRANT SELECT ON datasets TO anon; ALTER TABLE datasets DISABLE ROW LEVEL SECURITY")
        try:
            level, text = diagnose()[-1]
        finally:
            database.execute("REVOKE SELECT ON datasets FROM anon; ALTER TABLE datasets ENABLE ROW LEVEL SECURITY")
    assert level is Level.FAILING
    assert "Anybody" in text


def test_a_project_with_a_shared_secret_is_shown_the_way_out(diagnose: Diagnose, supabase: SupabaseServer) -> None:
    supabase.signer.trusted.clear()
    level, text = diagnose()[0]
    assert level is Level.WARNING
    assert "asymmetric" in text


def test_a_bucket_is_looked_at_where_files_are_copied_to_it(diagnose: Diagnose, supabase: SupabaseServer) -> None:
    def bucket() -> tuple[Level, str]:
        return diagnose(supabase_secret_key=SECRET_KEY)[-2]

    assert bucket()[0] is Level.OK
    supabase.storage.public.add("adapters")
    assert "public" in bucket()[1]
    supabase.storage.buckets.clear()
    level, text = bucket()
    assert level is Level.WARNING
    assert "Bucket not found" in text


RULES = [
    ("ALTER TABLE datasets DISABLE ROW LEVEL SECURITY", "Row level security is off: datasets", Level.FAILING),
    ("REVOKE SELECT ON datasets FROM authenticated", "denied (42501): datasets", Level.FAILING),
    ('DROP POLICY "owner reads" ON dataset_items', "No policy shows users their rows: dataset_items", Level.WARNING),
    ("ALTER PUBLICATION supabase_realtime DROP TABLE training_jobs", "Realtime does not tell of jobs", Level.WARNING),
]


@pytest.mark.parametrize(("mistake", "sentence", "level"), RULES, ids=[sentence for _, sentence, _ in RULES])
def test_a_rule_that_is_missing_in_the_database_is_named(
    diagnose: Diagnose, project_url: str, mistake: str, sentence: str, level: Level
) -> None:
    database = connect(project_url)
    with psycopg.connect(project_url, autocommit=True) as connection:
        connection.execute(mistake.encode())
        try:
            found = [finding for finding in diagnose() if sentence in finding[1]]
        finally:
            connection.execute("ALTER TABLE datasets ENABLE ROW LEVEL SECURITY")
            connection.execute("GRANT SELECT ON datasets TO authenticated")
            migrate(database)
            database.close()
    assert [each for each, _ in found] == [level]


def test_a_pooler_of_transactions_is_named_whatever_its_port(diagnose: Diagnose, project_url: str) -> None:
    with running_pgbouncer(project_url, pool_mode="transaction") as pooled:
        findings = diagnose(database_url=pooled)
    [text] = [text for level, text in findings if level is Level.FAILING]
    assert "port 5432" in text


def test_a_database_of_another_kind_is_not_taken_for_the_projects(diagnose: Diagnose, postgres: Postgres) -> None:
    assert any("not a Supabase project's" in text for _, text in diagnose(database_url=postgres.create()))


def test_what_is_only_seen_elsewhere_has_its_sentence_too() -> None:
    other = Settings(database_url="postgresql://postgres@db.abcdefgh.supabase.co:5432/postgres")
    assert "IPv6" in check_store_of(other).message
    late = ProjectFacts(key_count=1, clock_skew_seconds=90.0, datasets=DatasetsSeen.CLOSED)
    assert (check_clock(late).level, "NTP" in str(check_clock(late).advice)) == (Level.WARNING, True)
    missing = ProjectFacts(key_count=1, clock_skew_seconds=0.0, datasets=DatasetsSeen.MISSING)
    assert check_datasets(missing, other).is_failing
    assert not check_datasets(missing, Settings()).is_failing
    assert check_keys(missing).level is Level.OK
