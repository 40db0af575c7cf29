"""Since when quotes are kept."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0007_retention"
down_revision = "0006_verifications"


def upgrade() -> None:
    run(op.get_bind(), revision)
