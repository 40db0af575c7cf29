"""What to ask Coinbase: tickers, the past day, closed candles, and the list of what it trades."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from coinlake.candles import latest_window, past_windows
from coinlake.model import CANDLE_WIDTHS, Request

INTERVALS: Mapping[str, str] = {
    str(int(CANDLE_WIDTHS[interval].total_seconds())): interval
    for interval in ("1m", "5m", "15m", "1h", "6h", "1d")
}
"""Widths of candles by Coinbase's word for them, `granularity`: their seconds."""
MOST_CANDLES = 300
"""The most rows of one answer; a window of more is refused."""
MOST_PRODUCTS = 500
"""With a call a product, as many as the core takes in a slot, by half."""


def of_each(products: Sequence[str], what: str) -> Iterator[Request]:
    """A product's `ticker` or `stats`, one call each; page n is the n-th product."""
    for page, product in enumerate(products, start=1):
        yield Request(path=f"/products/{product}/{what}", page=page)


def all_products() -> Request:
    """Every product with its currencies, steps and status."""
    return Request(path="/products")


def latest_candles(
    products: Sequence[str], interval: str, every: timedelta, slot: datetime
) -> Iterator[Request]:
    """The last candles that closed before a slot: those of two cadences, and 60 at least.

    Page n is the n-th product. What a short stop missed is made good by the next slot.
    """
    since, until = latest_window(interval, every, slot)
    for page, product in enumerate(products, start=1):
        yield _candles(product, interval, since, until, page)


def past_candles(
    products: Sequence[str], interval: str, window: tuple[datetime, datetime], now: datetime
) -> Iterator[Request]:
    """The closed candles that cover [start, end), product after product, in windows that join.

    A candle that only partly lies in the window is asked too; nothing is asked that is still open at `now`.
    """
    windows = list(past_windows(interval, window, MOST_CANDLES, now))
    for page, (product, (since, until)) in enumerate(itertools.product(products, windows), start=1):
        yield _candles(product, interval, since, until, page)


def _candles(product: str, interval: str, since: datetime, until: datetime, page: int) -> Request:
    """Candles that open in [since, until), which are whole candles apart. Coinbase counts both ends in."""
    width = CANDLE_WIDTHS[interval]
    return Request(
        path=f"/products/{product}/candles",
        params=(
            ("granularity", str(int(width.total_seconds()))),
            ("start", _iso(since)),
            ("end", _iso(until - width)),
        ),
        page=page,
    )


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
