"""Retention: months of quotes leave the warehouse, as the lake can make them again; nothing else ever does.

Whole partitions are dropped, so it costs a moment however much leaves. Candles, instruments and dead letters
stay, and so do captures: a lake has no way to remove one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from coinlake_warehouse import partitions
from coinlake_warehouse.connection import Connection, connect, explained
from coinlake_warehouse.statements import statement


@dataclass(frozen=True, slots=True)
class Month:
    """A month of quotes that has left, or is to leave."""

    month: str
    """As 2024-10, in UTC."""
    quotes: int
    size_bytes: int
    """On disk, indices included."""


def first_of_month(moment: datetime) -> datetime:
    """The begin (UTC) of the month that a moment lies in."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def months_before(dsn: str, before: datetime) -> list[Month]:
    """The months of quotes that end at `before` (the begin of a month) or earlier, oldest first."""
    with explained(dsn), connect(dsn, "prune") as session:
        return [_month(session, name) for name in _before(session, before)]


def prune(dsn: str, before: datetime) -> list[Month]:
    """Lets go of all quotes of months before `before` (the begin of a month), for good; which they were.

    Loading waits meanwhile. Raises `TryAgain` where somebody reads quotes for longer than some seconds:
    then nothing has left.
    """
    with explained(dsn), connect(dsn, "prune") as session, session.transaction():
        session.execute(statement("retention/patience"))
        session.execute(statement("load/lock_position"))
        session.execute(statement("retention/move"), {"before": before})
        gone = []
        for name in _before(session, before):
            gone.append(_month(session, name))
            session.execute(statement("retention/drop").format(partition=sql.Identifier(name)))
        return gone


def kept(connection: Connection, quotes: pa.RecordBatch) -> pa.RecordBatch:
    """Those of these quotes that the warehouse keeps."""
    (since,) = connection.execute(statement("retention/kept_since")).fetchone() or (None,)
    if since is None:
        return quotes
    as_of = quotes.column("as_of")
    return quotes.filter(pc.greater_equal(as_of, pa.scalar(since, as_of.type)))


def _before(session: Connection, before: datetime) -> list[str]:
    # Names of partitions are in the order of their months.
    return sorted(name for name in partitions.present(session) if name < partitions.name(before))


def _month(session: Connection, name: str) -> Month:
    size = statement("retention/size").format(partition=sql.Identifier(name))
    quotes, size_bytes = session.execute(size, {"partition": name}).fetchone() or (0, 0)
    return Month(name.removeprefix("quotes_").replace("_", "-"), quotes, size_bytes)
