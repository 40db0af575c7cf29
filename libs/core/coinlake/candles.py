"""Which of a venue's candles to ask for: closed ones, in windows that join, and again soon enough.

All windows are [since, until), whole candles long, and end by the last candle that is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from coinlake.model import CANDLE_WIDTHS
from coinlake.schedule import slot_at

LEAST_CANDLES = 60
"""A slot asks for so many at least: a stop of less than an hour of 1m candles heals itself."""

Span = tuple[datetime, datetime]


def latest_window(interval: str, every: timedelta, slot: datetime) -> Span:
    """The last candles that closed before a slot: those of two cadences, and `LEAST_CANDLES` at least."""
    width = CANDLE_WIDTHS[interval]
    until = slot_at(slot, width)
    return until - max(LEAST_CANDLES, 2 * math.ceil(every / width)) * width, until


def past_windows(interval: str, asked: Span, most_candles: int, now: datetime) -> Iterator[Span]:
    """Windows of at most `most_candles` that join to cover what is asked, as far as it is over at `now`.

    A candle that only partly lies in what is asked belongs to it.
    """
    width = CANDLE_WIDTHS[interval]
    since = slot_at(asked[0], width)
    whole = slot_at(asked[1], width)
    end = min(whole if whole == asked[1] else whole + width, slot_at(now, width))
    while since < end:
        until = min(since + most_candles * width, end)
        yield since, until
        since = until


def check_cadence(setting: str, every: timedelta, interval: str, most_candles: int) -> None:
    """Raises `ValueError`, for a settings table, where slots of that cadence could not keep their promise:
    one answer holds the candles of two slots, so that a slot that was missed is made good by the next."""
    width, longest = CANDLE_WIDTHS[interval], most_candles // 2
    if every < width:
        raise ValueError(f'{setting} is shorter than a candle of interval = "{interval}": make it longer')
    if every > longest * width:
        most = f"{longest} candles of {interval}"
        raise ValueError(f"{setting} is longer than {most}: make it shorter, or interval wider")
