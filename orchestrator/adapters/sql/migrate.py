"""Bringing a database to the newest schema, from any earlier one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from orchestrator.adapters.sql.engine import Database

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> str:
    """Run what is missing; returns the revision the database is at. Safe to repeat, and from two processes at once."""
    config = _config()
    with database.schema_change() as connection:
        # A second process waits for this transaction to end and then finds nothing to do.
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return MigrationContext.configure(connection).get_current_revision() or ""


def is_migrated(database: Database) -> bool:
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
