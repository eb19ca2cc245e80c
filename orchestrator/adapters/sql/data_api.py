"""What a Supabase project's database lets others do with Lorry's tables, from its catalogue: for `lorry doctor`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.tables import metadata

# Only tables of the schema that the Data API serves: what is Lorry's own lies in another.
_RULES = sa.text("""
    SELECT relname,
      relrowsecurity AS has_row_security,
      has_table_privilege('authenticated', oid, 'select') AS is_granted,
      EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid) AS has_policy
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text = quote_ident(current_schema()) AND relname = ANY(:tables)
    ORDER BY relname
""")
_IS_PROJECT = sa.text("SELECT to_regrole('authenticated') IS NOT NULL AND to_regprocedure('auth.uid()') IS NOT NULL")
_IS_PUBLISHED = sa.text("""
    SELECT EXISTS (
      SELECT FROM pg_publication_tables
      WHERE pubname = 'supabase_realtime' AND schemaname = current_schema() AND tablename = 'training_jobs')
""")


@dataclass(frozen=True, slots=True)
class DataApiRules:
    """Names of tables that miss what the Data API needs, and whether Realtime tells of jobs."""

    without_row_security: tuple[str, ...]
    without_grant: tuple[str, ...]  # signed-in users get 42501
    without_policy: tuple[str, ...]  # signed-in users see no row
    is_published: bool


def data_api_rules(database: Database) -> DataApiRules | None:
    """None for a database that is no Supabase project's. Raises StoreUnavailable."""
    with database.read() as connection:
        if not connection.scalar(_IS_PROJECT):
            return None
        rules = connection.execute(_RULES, {"tables": sorted(metadata.tables)}).all()
        is_published = bool(connection.scalar(_IS_PUBLISHED))
    return DataApiRules(
        without_row_security=tuple(rule.relname for rule in rules if not rule.has_row_security),
        without_grant=tuple(rule.relname for rule in rules if not rule.is_granted),
        without_policy=tuple(rule.relname for rule in rules if not rule.has_policy),
        is_published=is_published,
    )
