"""Candles as venues serve them, instruments, the map of assets, and prices compared across venues."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0002_venues"
down_revision = "0001_initial"


def upgrade() -> None:
    run(op.get_bind(), revision)
