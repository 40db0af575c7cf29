"""Quotes, latest quotes, candles, dead letters, batches and the position."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0001_initial"
down_revision = None


def upgrade() -> None:
    run(op.get_bind(), revision)
