"""Alembic's entry: migrations run on the connection that `migrate` hands over, inside its transaction; without one
they are printed, for Postgres."""

from pathlib import Path

from alembic import context

from orchestrator.adapters.sql.postgres import SEARCH_PATH
from orchestrator.adapters.sql.tables import metadata

DATA_API = Path(__file__).with_name("data_api.sql").read_text(encoding="utf-8")

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, target_metadata=metadata)
    with context.begin_transaction():
        context.execute(f"SELECT {SEARCH_PATH.format(is_local='true')}")
        context.run_migrations()
        context.execute(DATA_API)
else:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    context.run_migrations()
    if connection.dialect.name == "postgresql":
        context.execute(DATA_API)
