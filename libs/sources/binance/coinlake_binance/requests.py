"""What to ask Binance, and what it costs: tickers, closed candles, and the list of what it trades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product

import msgspec

from coinlake.candles import latest_window, past_windows
from coinlake.model import Request

TICKER_SYMBOLS = 20
"""Symbols of one ticker call: five calls of 20 weigh 10, one of 100 weighs 40."""
MOST_CANDLES = 1000
"""The most rows of one answer."""
MOST_SYMBOLS = 500
"""With a call a symbol, as many as the core takes in a slot, by half."""

_TICKER_WEIGHT = 2
_KLINES_WEIGHT = 2
_EXCHANGE_INFO_WEIGHT = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def ticker_calls(symbols: Sequence[str]) -> int:
    """How many calls the tickers of so many symbols take."""
    return math.ceil(len(symbols) / TICKER_SYMBOLS)


def tickers(symbols: Sequence[str]) -> Iterator[Request]:
    """Full 24-hour tickers of all symbols, in their order; page n is the n-th 20 of them."""
    for page in range(ticker_calls(symbols)):
        asked = symbols[page * TICKER_SYMBOLS : (page + 1) * TICKER_SYMBOLS]
        yield Request(
            path="/api/v3/ticker/24hr",
            params=(("symbols", msgspec.json.encode(list(asked)).decode()), ("type", "FULL")),
            page=page + 1,
            cost=_TICKER_WEIGHT,
        )


def exchange_info() -> Request:
    """Every symbol with its assets, steps and status, and the limits of this address."""
    return Request(path="/api/v3/exchangeInfo", cost=_EXCHANGE_INFO_WEIGHT)


def latest_klines(
    symbols: Sequence[str], interval: str, every: timedelta, slot: datetime
) -> Iterator[Request]:
    """The last candles that closed before a slot: those of two cadences, and 60 at least.

    Page n is the n-th symbol. What a short stop missed is made good by the next slot.
    """
    since, until = latest_window(interval, every, slot)
    for page, symbol in enumerate(symbols, start=1):
        yield _klines(symbol, interval, since, until, page)


def past_klines(
    symbols: Sequence[str], interval: str, window: tuple[datetime, datetime], now: datetime
) -> Iterator[Request]:
    """The closed candles that cover [start, end), symbol after symbol, in windows that join.

    A candle that only partly lies in the window is asked too; nothing is asked that is still open at `now`.
    """
    windows = list(past_windows(interval, window, MOST_CANDLES, now))
    for page, (symbol, (since, until)) in enumerate(product(symbols, windows), start=1):
        yield _klines(symbol, interval, since, until, page)


def _klines(symbol: str, interval: str, since: datetime, until: datetime, page: int) -> Request:
    """Candles that open in [since, until), which are whole candles apart. Binance counts both ends in."""
    return Request(
        path="/api/v3/klines",
        params=(
            ("symbol", symbol),
            ("interval", interval),
            ("startTime", _milliseconds(since)),
            ("endTime", _milliseconds(until - _MILLISECOND)),
            ("limit", str(MOST_CANDLES)),
        ),
        page=page,
        cost=_KLINES_WEIGHT,
    )


def _milliseconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // _MILLISECOND)
