"""Loading from a bus: captures loaded, offsets read, and the staging tables that tasks share."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0003_bus"
down_revision = "0002_venues"


def upgrade() -> None:
    run(op.get_bind(), revision)
