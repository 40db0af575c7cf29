"""Loading under a login that owns nothing; two captures that claim one position are both on record."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0004_roles"
down_revision = "0003_bus"


def upgrade() -> None:
    run(op.get_bind(), revision)
