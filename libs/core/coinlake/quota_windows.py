"""Which windows a source is kept to, and what counts in them when others take their place.

What a venue states in an answer stands for every process and every restart, until it states something
else; before that, the settings do. What was counted goes over into windows of another length, at the most
that can have been used in them: a change errs towards waiting.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from coinlake.model import Window
from coinlake.state import moment_text, statement

_LONGEST_S = 31 * 86400
_MOST_WEIGHT = 10**9


def windows_in_force(
    connection: sqlite3.Connection, source: str, given: tuple[Window, ...], now: datetime
) -> tuple[Window, ...]:
    """The windows to keep to now: those that the venue stated, else those `given` by the settings."""
    kept, stated = _kept(connection, source)
    if stated:
        return kept
    if kept != given:
        _replace(connection, source, kept, given, now, stated=False)
    return given


def put_in_force(
    connection: sqlite3.Connection, source: str, windows: tuple[Window, ...], now: datetime
) -> bool:
    """Puts what the venue stated in force; whether that changes anything."""
    kept, stated = _kept(connection, source)
    if stated and kept == windows:
        return False
    _replace(connection, source, kept, windows, now, stated=True)
    return True


def absurdity(windows: tuple[Window, ...], cost: int) -> str | None:
    """Why windows cannot be what a venue means that has just answered a call of this cost; else None."""
    if not windows:
        return "no window at all"
    for window in windows:
        numbers = (window.seconds, window.weight)
        if not all(type(number) is int for number in numbers):
            return f"{window} is not in whole numbers"
        if not (0 < window.seconds <= _LONGEST_S and 0 < window.weight <= _MOST_WEIGHT):
            return f"{window} is out of all bounds"
        if window.weight < cost:
            return f"{window} forbids the very call that it came with, of weight {cost}"
    return None


def window_start(window: Window, moment: datetime) -> datetime:
    """The first moment of the aligned window that a moment lies in."""
    seconds = int(moment.timestamp()) // window.seconds * window.seconds
    return datetime.fromtimestamp(seconds, UTC)


def period(window: Window) -> str:
    """How the state names a window's length."""
    return f"{window.seconds}s"


def _kept(connection: sqlite3.Connection, source: str) -> tuple[tuple[Window, ...], bool]:
    rows = connection.execute(statement("quota/windows"), {"source": source}).fetchall()
    return tuple(Window(row["seconds"], row["weight"]) for row in rows), any(row["stated"] for row in rows)


def _replace(
    connection: sqlite3.Connection,
    source: str,
    old: tuple[Window, ...],
    new: tuple[Window, ...],
    now: datetime,
    *,
    stated: bool,
) -> None:
    lengths = {window.seconds: window for window in old}
    for window in new:
        if lengths and window.seconds not in lengths:
            starts_at = window_start(window, now)
            used = min(_most_used_since(connection, source, each, starts_at) for each in old)
            key = {"source": source, "period": period(window), "starts_at": moment_text(starts_at)}
            connection.execute(statement("quota/correct"), {**key, "used": used})
    for seconds in lengths.keys() - {window.seconds for window in new}:
        gone = {"source": source, "period": period(lengths[seconds])}
        connection.execute(statement("quota/drop_uses"), gone)
    connection.execute(statement("quota/drop_windows"), {"source": source})
    for place, window in enumerate(new):
        values = {"source": source, "place": place, "seconds": window.seconds, "weight": window.weight}
        connection.execute(statement("quota/window_in_force"), {**values, "stated": stated})


def _most_used_since(connection: sqlite3.Connection, source: str, window: Window, moment: datetime) -> int:
    """What windows of one length count that end after a moment: an upper bound of the use since then."""
    after = moment_text(moment - timedelta(seconds=window.seconds))
    key = {"source": source, "period": period(window), "after": after}
    return int(connection.execute(statement("quota/used_since"), key).fetchone()["used"])
