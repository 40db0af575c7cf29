"""A bucket that flows back at a steady rate, kept as one moment: when it will be full again (GCRA).

So in no interval of t seconds is more drawn than `burst + per_second * t`, by all processes together,
and nothing has to be refilled or forgotten. Where a microsecond must be rounded, it is towards waiting.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction

from coinlake.errors import FixConfiguration, WaitUntil
from coinlake.model import Bucket
from coinlake.state import moment_text, statement

_QUEUED_AT_MOST = timedelta(seconds=5)


def empty_bucket(
    connection: sqlite3.Connection, source: str, bucket: Bucket, cost: int, now: datetime
) -> WaitUntil | None:
    """Why a call cannot be sent now; None where the bucket holds enough for it."""
    if cost > bucket.burst:
        raise FixConfiguration(
            f"{source}: a call of weight {cost} can never be sent where {bucket.burst} are allowed at once: "
            "raise that limit or ask for less in one call."
        )
    full_at, drawn_at = _kept(connection, source, now)
    emptied = now + _flows_back_in(bucket, bucket.burst)
    # The clock was set back (or the rate raised): an empty bucket, not an endless wait. A `now` that is a
    # little behind was read by a process that then queued for the state, and changes nothing.
    if full_at > emptied + _QUEUED_AT_MOST:
        full_at = emptied
        _keep(connection, source, full_at, drawn_at)
    # The whole of it may always be drawn from a full bucket, however the rounding falls.
    least = max(_flows_back_in(bucket, bucket.burst, math.floor), _flows_back_in(bucket, cost))
    until = max(full_at, now) + _flows_back_in(bucket, cost) - least
    if until <= now:
        return None
    said = f"{source}: {bucket.per_second:g} a second and {bucket.burst} at once are used up"
    return WaitUntil(f"{said}; nothing is sent before {until:%Y-%m-%d %H:%M:%S.%f} UTC.", until=until)


def draw(connection: sqlite3.Connection, source: str, bucket: Bucket, cost: int, now: datetime) -> None:
    """Takes a call's cost out of the bucket."""
    full_at, _ = _kept(connection, source, now)
    _keep(connection, source, max(full_at, now) + _flows_back_in(bucket, cost), now)


def pour_back(
    connection: sqlite3.Connection, source: str, bucket: Bucket, cost: int, drawn: datetime
) -> None:
    """Gives back what a call drew at a moment and did not use, less what may have flowed back since.

    Only until the latest draw can it have been flowing back unseen: behind that one, a bucket that is
    full stays full.
    """
    full_at, last_at = _kept(connection, source, drawn)
    unused = _flows_back_in(bucket, cost) - abs(last_at - drawn)
    if unused > timedelta():
        _keep(connection, source, full_at - unused, last_at)


def _flows_back_in(bucket: Bucket, cost: int, rounded: Callable[[Fraction], int] = math.ceil) -> timedelta:
    return timedelta(microseconds=rounded(1_000_000 * cost / Fraction(bucket.per_second)))


def _kept(connection: sqlite3.Connection, source: str, now: datetime) -> tuple[datetime, datetime]:
    row = connection.execute(statement("quota/bucket"), {"source": source}).fetchone()
    if row is None:
        return now, now
    return datetime.fromisoformat(row["full_at"]), datetime.fromisoformat(row["drawn_at"])


def _keep(connection: sqlite3.Connection, source: str, full_at: datetime, drawn_at: datetime) -> None:
    values = {"source": source, "full_at": moment_text(full_at), "drawn_at": moment_text(drawn_at)}
    connection.execute(statement("quota/fill_bucket"), values)
