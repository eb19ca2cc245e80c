"""How much memory the GPUs have, for whoever is to know whether a job fits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("engine_status") as status:
        status.add_column(sa.Column("device_memory", JSON, nullable=False, server_default="{}"))
