"""What a task's quotes reach is staged beside them."""

from alembic import op

from coinlake_warehouse.migrations import run

revision = "0005_spans"
down_revision = "0004_roles"


def upgrade() -> None:
    run(op.get_bind(), revision)
