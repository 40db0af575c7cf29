"""What each verification found is on record."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0006_verifications"
down_revision = "0005_spans"


def upgrade() -> None:
    run(op.get_bind(), revision)
