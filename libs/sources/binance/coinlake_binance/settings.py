"""The table `[sources.binance]` of `coinlake.toml`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from coinlake.candles import check_cadence
from coinlake.settings import Cadence, Root, Table, each_once
from coinlake_binance.pairs import split
from coinlake_binance.requests import MOST_CANDLES, MOST_SYMBOLS

_LARGE = "BTC ETH XRP BNB SOL DOGE TRX ADA LINK XLM BCH AVAX LTC HBAR SUI SHIB TON DOT UNI AAVE"
"""As many as one ticker call takes."""

Interval = Literal["1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"]
"""Widths of candles that both Binance and Coinlake know."""


def _symbol(given: str) -> str:
    base, _, quote = given.strip().upper().partition("/")
    pair = split(base + quote)
    if pair is None or not (base + quote).isalnum():
        raise ValueError(f'{given[:40]!r} ends in no known quote asset: write "BTCUSDT" or "BTC/USDT"')
    if quote and pair != (base, quote):
        raise ValueError(f"{given[:40]!r} would be {pair.base}/{pair.quote} at Binance")
    return base + quote


Symbol = Annotated[str, AfterValidator(_symbol)]


class BinanceSettings(Table):
    """What to poll and how often. No key: this is public market data."""

    root: Root = "https://data-api.binance.vision"
    """The API's root; `https://api.binance.com` answers the same, but not from everywhere."""
    symbols: Annotated[
        tuple[Symbol, ...], each_once("symbol"), Field(min_length=1, max_length=MOST_SYMBOLS)
    ] = tuple(f"{base}USDT" for base in _LARGE.split())
    """What `ticker` and `klines` are about, each "BTCUSDT" or "BTC/USDT"."""
    ticker_every: Cadence = timedelta(minutes=1)
    """Cadence of `ticker`."""
    interval: Interval = "1m"
    """Width of the candles of `klines`."""
    klines_every: Cadence = timedelta(minutes=5)
    """Cadence of `klines`; each slot asks for the candles of two, and for 60 at least."""
    weight_per_minute: PositiveInt | None = None
    """What your address may use, in place of what Binance itself states."""

    @model_validator(mode="after")
    def _check_cadence(self) -> BinanceSettings:
        check_cadence("klines_every", self.klines_every, self.interval, MOST_CANDLES)
        return self
