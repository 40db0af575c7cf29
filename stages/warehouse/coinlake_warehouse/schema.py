"""Whether a warehouse's schema is this program's, without loading what migrates it: every command asks."""

from __future__ import annotations

from pathlib import Path

import psycopg

from coinlake_warehouse.connection import connect, explained

NEWEST = max(file.stem for file in (Path(__file__).parent / "sql" / "migrations").glob("*.sql"))
"""The revision that this program knows last; its files are named in their order."""


def is_current(dsn: str) -> bool:
    """Whether the warehouse is at this program's version. Raises `TryAgain` where the server is away."""
    with explained(dsn), connect(dsn, "schema") as session:
        try:
            row = session.execute("SELECT version_num FROM coinlake.alembic_version").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False
    return row is not None and row[0] == NEWEST
