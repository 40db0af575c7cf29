"""Two sides of staging tables: tasks fill the one while what stands on the other is being loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from coinlake_warehouse.connection import Connection
from coinlake_warehouse.statements import statement

SIDES = 2
"""Batches are staged on them in turn."""

_PREFIXES = ("staging_", "staging_b_")
_KINDS = ("captures", "rejects", "spans", "quotes", "candles", "instruments")


def staging(side: int, kind: str) -> str:
    """Name of a side's table for captures, rejects, spans, quotes, candles or instruments."""
    return _PREFIXES[side] + kind


def statement_on(side: int, name: str, **more: sql.Composable) -> sql.Composed:
    """A statement where `{staging_quotes}` and its like are a side's tables, and `more` what else it has."""
    tables = {f"staging_{kind}": sql.Identifier(staging(side, kind)) for kind in _KINDS}
    return statement(name).format(**tables, **more)


@dataclass(frozen=True, slots=True)
class Taken:
    """What these attempts staged on a side, as the session that loads it sees it."""

    session: Connection
    side: int
    attempts: Sequence[UUID]

    def ask(self, name: str, **more: sql.Composable) -> psycopg.Cursor[tuple[Any, ...]]:
        """Executes a statement about them."""
        return self.session.execute(statement_on(self.side, name, **more), {"attempts": self.attempts})
