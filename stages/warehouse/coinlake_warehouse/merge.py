"""From a batch to the tables people read: quotes, their latest, all candles, instruments, dead letters.

Loading runs these steps on the warehouse's tables; verifying runs the very same ones on temporary tables
of the same names, and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from coinlake.model import INTERVALS, LIVE, QUOTES
from coinlake_warehouse.connection import Connection
from coinlake_warehouse.keys import spans_of
from coinlake_warehouse.retention import kept
from coinlake_warehouse.sides import Taken
from coinlake_warehouse.staging import ASSETS, SPANS, copy_batch, copy_rows
from coinlake_warehouse.statements import statement

Period: TypeAlias = Mapping[str, datetime]
"""Days (UTC) as [since, until)."""


class Written(NamedTuple):
    """Quotes that were new or earlier than what stood, and candles made of them."""

    quotes: int
    candles: int


class Level(NamedTuple):
    """What the candles of one interval are made of: `finer` candles, and quotes of `granularities`."""

    interval: str
    width: timedelta
    finer: str | None
    granularities: list[str]
    touching: list[str]
    """Granularities of all quotes behind it, those in finer candles included."""


def _levels() -> list[Level]:
    names = list(INTERVALS)
    return [
        Level(
            interval=interval,
            width=width,
            finer=names[place - 1] if place else None,
            granularities=[interval] if place else [LIVE, interval],
            touching=[LIVE, *names[: place + 1]],
        )
        for place, (interval, width) in enumerate(INTERVALS.items())
    ]


LEVELS = _levels()


def merge_quotes(connection: Connection, quotes: pa.RecordBatch) -> Written:
    """Quotes (one a key, in order of key), the latest quotes and the candles that they touch.

    Those of months that retention let go of are left out.
    """
    quotes = kept(connection, quotes)
    if not quotes.num_rows:
        return Written(0, 0)
    numbered = spans_of(quotes)
    copy_rows(connection, ASSETS, numbered.assets)
    copy_rows(connection, SPANS, ((*span, None) for span in numbered.spans))
    period = _period(quotes.column("as_of"))
    # Most spans are new to the warehouse: their rows go where they belong without a second look.
    known = [number for (number,) in connection.execute(statement("load/known_spans"), period)]
    is_known = pc.is_in(numbered.span_of, pa.array(known, pa.int32()))
    copy_batch(connection, "quotes", quotes.filter(pc.invert(is_known)))
    new = connection.execute(statement("load/new_quotes"), period).rowcount
    copy_batch(connection, "staged_quotes", quotes.filter(is_known))
    return _merge_staged_quotes(connection, period, new)


def merge_attempted_quotes(taken: Taken, period: Period) -> Written:
    """As `merge_quotes`, of quotes that attempts staged (each of them one a key), where a key may come of
    several; `period` holds them all."""
    columns = sql.SQL(", ").join(map(sql.Identifier, QUOTES.names))
    taken.ask("attempts/assets")
    taken.ask("attempts/spans")
    taken.session.execute(statement("load/known_spans"), period)
    new = taken.ask("attempts/new_quotes", columns=columns).rowcount
    taken.ask("attempts/touched")
    taken.ask("attempts/quotes", columns=columns)
    return _merge_staged_quotes(taken.session, period, new)


def _merge_staged_quotes(connection: Connection, period: Period, new: int) -> Written:
    """The staged quotes, and all that is made of them and of `new` ones that were written before."""
    new += connection.execute(statement("load/quotes")).rowcount
    if not new:
        return Written(0, 0)
    connection.execute(statement("load/latest"), period)
    candles = 0
    for level in LEVELS:
        row = connection.execute(statement("load/candles"), {**level._asdict(), **period}).fetchone()
        candles += row[0] if row else 0
    return Written(new, candles)


def merge_candles(connection: Connection, candles: pa.RecordBatch) -> int:
    """Venues' own candles, in any order; how many were new or said anew."""
    if not candles.num_rows:
        return 0
    copy_batch(connection, "staged_candles", candles)
    return merge_staged_candles(connection)


def merge_staged_candles(connection: Connection) -> int:
    """As `merge_candles`, of those that stand in `staged_candles`."""
    return connection.execute(statement("load/venue_candles")).rowcount


def merge_instruments(connection: Connection, instruments: pa.RecordBatch) -> int:
    """Instruments, in any order; how many were new or said anew."""
    if not instruments.num_rows:
        return 0
    copy_batch(connection, "staged_instruments", instruments)
    return merge_staged_instruments(connection)


def merge_staged_instruments(connection: Connection) -> int:
    """As `merge_instruments`, of those that stand in `staged_instruments`."""
    return connection.execute(statement("load/instruments")).rowcount


def merge_rejects(connection: Connection, now: datetime) -> int:
    """Dead letters from the staged rejects; how many. Those of the staged captures not among them end."""
    kept = connection.execute(statement("load/dead_letters"), {"now": now}).rowcount
    connection.execute(statement("load/resolved"), {"now": now})
    return kept


def _period(moments: pa.Array) -> Period:
    """The days (UTC) that hold the moments, as [since, until)."""
    ends = pc.min_max(pc.floor_temporal(moments, unit="day"))
    return {"since": ends["min"].as_py(), "until": ends["max"].as_py() + timedelta(days=1)}
