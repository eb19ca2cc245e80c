"""`lorry doctor` about Supabase: each mistake of a project's set-up in a sentence, and what to do about it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cli.finding import Finding, Level
from orchestrator.adapters.sql import connect
from orchestrator.adapters.sql.data_api import DataApiRules, data_api_rules
from orchestrator.adapters.sql.wake_up import require_sessions
from orchestrator.adapters.supabase import DatasetsSeen, ProjectFacts
from orchestrator.domain.errors import LorryError, StoreUnavailable
from orchestrator.settings import Settings
from orchestrator.supabase_mode import storage_bucket, supabase_project

_MAX_CLOCK_SKEW_SECONDS = 20.0  # tokens are taken half a minute early or late
_DIRECT_HOST = re.compile(r"db\.[a-z0-9]+\.supabase\.co")
_POSTGRES = "postgres"


def check_supabase(settings: Settings) -> list[Finding]:
    """Nothing for an installation without Supabase."""
    try:
        project = supabase_project(settings)
    except LorryError as error:
        return [Finding(Level.FAILING, "supabase", error.message)]
    if project is None:
        return []
    try:
        facts = project.facts()
    except LorryError as error:
        advice = "Check LORRY_SUPABASE_URL, and that this machine reaches it."
        return [Finding(Level.FAILING, "supabase", f"{settings.supabase_url}: {error.message}", advice)]
    finally:
        project.close()
    return [
        check_keys(facts),
        check_clock(facts),
        check_store_of(settings),
        *check_rules_of(settings),
        *check_bucket(settings, settings.supabase_bucket),
        *check_bucket(settings, settings.supabase_dataset_bucket),
        check_datasets(facts, settings),
    ]


def check_keys(facts: ProjectFacts) -> Finding:
    if facts.key_count == 0:
        advice = "Migrate to asymmetric JWT signing keys in the project's settings, wait 20 minutes, then rotate."
        message = "The project signs with a shared secret: Supabase is asked about the token of every request."
        return Finding(Level.WARNING, "supabase", message, advice)
    return Finding(Level.OK, "supabase", f"The project publishes {facts.key_count} signing keys.")


def check_clock(facts: ProjectFacts) -> Finding:
    message = f"Its clock and this machine's differ by {facts.clock_skew_seconds:.0f} s."
    if facts.clock_skew_seconds > _MAX_CLOCK_SKEW_SECONDS:
        return Finding(
            Level.WARNING, "supabase", message, "Set this machine's clock by NTP, or good tokens are refused."
        )
    return Finding(Level.OK, "supabase", message)


def check_store_of(settings: Settings) -> Finding:
    address = urlsplit(settings.store_url)
    if not address.scheme.startswith(_POSTGRES):
        advice = "For its policies to decide, set LORRY_DATABASE_URL to the project's session pooler string."
        return Finding(Level.OK, "supabase", "Jobs and datasets are kept in SQLite, not in the project.", advice)
    if _DIRECT_HOST.fullmatch(address.hostname or ""):
        advice = "If it cannot be reached (`Network is unreachable`), use the session pooler string, port 5432."
        return Finding(Level.WARNING, "supabase", f"{address.hostname} answers over IPv6 only.", advice)
    return Finding(Level.OK, "supabase", "The job store is a Postgres.")


def check_rules_of(settings: Settings) -> list[Finding]:
    """Nothing where the store is no Postgres, or does not answer, which has a line of its own."""
    if not settings.store_url.startswith(_POSTGRES):
        return []
    try:
        database = connect(settings.store_url)
    except LorryError:
        return []
    try:
        require_sessions(database)
        return check_rules(data_api_rules(database))
    except StoreUnavailable:
        return []
    except LorryError as error:
        return [Finding(Level.FAILING, "supabase", error.message)]
    finally:
        database.close()


def check_rules(rules: DataApiRules | None) -> list[Finding]:
    if rules is None:
        advice = "Set LORRY_DATABASE_URL to the project's own session pooler string, for its policies to decide."
        return [Finding(Level.WARNING, "supabase", "The job store is not a Supabase project's database.", advice)]
    findings = [
        Finding(level, "supabase", f"{what}: {', '.join(tables)}.", advice)
        for tables, level, what, advice in (
            (
                rules.without_row_security,
                Level.FAILING,
                "Row level security is off",
                "Switch it on (ALTER TABLE ... ENABLE ROW LEVEL SECURITY), or users see each other's rows.",
            ),
            (
                rules.without_grant,
                Level.FAILING,
                "Signed-in users are denied (42501)",
                "GRANT SELECT ON ... TO authenticated: newer projects grant nothing by themselves.",
            ),
            (
                rules.without_policy,
                Level.WARNING,
                "No policy shows users their rows",
                "Run `lorry migrate`, which makes it.",
            ),
        )
        if tables
    ]
    if not rules.is_published:
        advice = "ALTER PUBLICATION supabase_realtime ADD TABLE training_jobs; Lorry itself does not need it."
        findings.append(Finding(Level.WARNING, "supabase", "Realtime does not tell of jobs.", advice))
    return findings or [Finding(Level.OK, "supabase", "Users may read their own rows, and no others'.")]


def check_bucket(settings: Settings, name: str | None) -> list[Finding]:
    """Nothing where no files are copied to Storage."""
    bucket = storage_bucket(settings, name)
    if bucket is None:
        return []
    problem = bucket.problem()
    bucket.close()
    if problem is None:
        return [Finding(Level.OK, "supabase", f"The bucket {name} takes files.")]
    advice = "Make it private and by that name (docs/supabase.md has the SQL); no trained file is lost meanwhile."
    return [Finding(Level.WARNING, "supabase", f"Files are not copied as meant: {problem}.", advice)]


def check_datasets(facts: ProjectFacts, settings: Settings) -> Finding:
    """What a stranger sees of the table that decides whose datasets are whose."""
    if facts.datasets is DatasetsSeen.OPEN:
        advice = "Run `lorry migrate`, which switches row level security on, and revoke what you granted to anon."
        return Finding(Level.FAILING, "supabase", "Anybody on the internet can read the table datasets.", advice)
    if facts.datasets is DatasetsSeen.KEY_REFUSED:
        advice = "Copy the publishable (or anon) key of this very project to LORRY_SUPABASE_PUBLISHABLE_KEY."
        return Finding(Level.FAILING, "supabase", "The project refuses the publishable key.", advice)
    if facts.datasets is DatasetsSeen.MISSING and settings.store_url.startswith(_POSTGRES):
        advice = "Run `lorry migrate`; LORRY_DATABASE_URL must be the database of this very project."
        return Finding(Level.FAILING, "supabase", "The project's Data API serves no table datasets.", advice)
    if facts.datasets is DatasetsSeen.UNKNOWN:
        return Finding(Level.WARNING, "supabase", "The project's Data API could not say whether datasets are closed.")
    return Finding(Level.OK, "supabase", "Strangers see no datasets.")
