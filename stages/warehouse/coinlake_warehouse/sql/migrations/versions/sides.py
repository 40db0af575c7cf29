"""A batch is staged while the one before it is closed."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0008_sides"
down_revision = "0007_retention"


def upgrade() -> None:
    run(op.get_bind(), revision)
