"""Which samples were found to be pictures that can be shown, and have a small copy."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("artifacts", sa.Column("is_showable", sa.Boolean))
    is_unseen = sa.text("kind = 'sample' AND is_showable IS NULL")
    op.create_index(
        "ix_artifacts_unseen_samples",
        "artifacts",
        ["created_at", "id"],
        postgresql_where=is_unseen,
        sqlite_where=is_unseen,
    )
