"""Bringing a database to the newest schema, from any earlier one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from orchestrator.adapters.sql.engine import Database
from orchestrator.domain.errors import StoreUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database) -> str:
    """Run what is missing; returns the revision the database is at. Safe to repeat, and from two processes at once.

    Raises StoreUnavailable with the whole story: it is the first to touch the store, so a person is looking.
    """
    config = _config()
    try:
        with database.schema_change() as connection:
            # A second process waits for this transaction to end and then finds nothing to do.
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return MigrationContext.configure(connection).get_current_revision() or ""
    except StoreUnavailable as error:
        raise StoreUnavailable(_story(database, error)) from error


def is_migrated(database: Database) -> bool:
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(_config()).get_current_head()


def _story(database: Database, error: StoreUnavailable) -> str:
    """The address without its password, and the first line of what the driver said."""
    address = database.engine.url.render_as_string(hide_password=True)
    said = str(getattr(error.__cause__, "orig", None) or error.message).strip().splitlines()[0]
    advice = "Is the database running, is LORRY_DATABASE_URL right, may this user write there?"
    return f"Could not open the job store {address}: {said.rstrip('.')}. {advice}"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
