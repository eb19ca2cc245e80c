"""Bringing a database to the newest schema, from any earlier one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from orchestrator.adapters.sql.engine import Database
from orchestrator.adapters.sql.wake_up import require_sessions
from orchestrator.domain.errors import Rejected, StoreUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, note: Callable[[str], None] = lambda _: None) -> str:
    """Run what is missing; returns the revision the database is at. Safe to repeat, and from two processes at once.

    `note` is told what the database could not be given, and why.

    Raises StoreUnavailable with the whole story: it is the first to touch the store, so a person is looking. Rejected
    (DATABASE_URL_REFUSED) behind a pooler of transactions.
    """
    config = _config()
    try:
        require_sessions(database)
        with database.schema_change() as connection, _notices(connection, note):
            # A second process waits for this transaction to end and then finds nothing to do.
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return MigrationContext.configure(connection).get_current_revision() or ""
    except StoreUnavailable as error:
        raise StoreUnavailable(_story(database, error)) from error


def migration_sql(since: str | None = None) -> str:
    """All DDL for Postgres, in one transaction: from the revision `since`, or for an empty database.

    Raises Rejected (UNKNOWN_REVISION).
    """
    config = _config()
    known = sorted(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())
    if since not in (None, *known):
        raise Rejected(f"There is no revision {since!r}; there are {', '.join(known)}.", code="UNKNOWN_REVISION")
    config.output_buffer = printed = io.StringIO()
    command.upgrade(config, f"{since}:head" if since else "head", sql=True)
    return printed.getvalue()


def is_migrated(database: Database) -> bool:
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current == ScriptDirectory.from_config(_config()).get_current_head()


@contextmanager
def _notices(connection: sa.Connection, note: Callable[[str], None]) -> Iterator[None]:
    """While entered, what Postgres remarks is handed to `note`."""
    driver: Any = connection.connection.driver_connection
    if not hasattr(driver, "add_notice_handler"):
        yield
        return

    def handle(notice: Any) -> None:
        note(notice.message_primary)

    driver.add_notice_handler(handle)
    try:
        yield
    finally:
        driver.remove_notice_handler(handle)


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
