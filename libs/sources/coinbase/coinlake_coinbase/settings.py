"""The table `[sources.coinbase]` of `coinlake.toml`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from coinlake.candles import check_cadence
from coinlake.settings import Cadence, Root, Table, each_once
from coinlake_coinbase.products import split
from coinlake_coinbase.requests import MOST_CANDLES, MOST_PRODUCTS

_LARGE = "BTC ETH XRP SOL DOGE ADA LINK XLM BCH AVAX LTC HBAR SUI SHIB DOT"

Interval = Literal["1m", "5m", "15m", "1h", "6h", "1d"]
"""Widths of candles that Coinbase has."""


def _product(given: str) -> str:
    product = given.strip().upper()
    pair = split(product)
    if pair is None:
        raise ValueError(f'{given[:40]!r} is no product of Coinbase: write one such as "BTC-USD"')
    if pair.quote == "USDC":
        raise ValueError(
            f'Coinbase answers {product!r} with what is true of "{pair.base}-USD": write "{pair.base}-USD"'
        )
    return product


Product = Annotated[str, AfterValidator(_product)]


class CoinbaseSettings(Table):
    """What to poll and how often. No key: this is public market data."""

    root: Root = "https://api.exchange.coinbase.com"
    """The API's root."""
    products: Annotated[
        tuple[Product, ...], each_once("product"), Field(min_length=1, max_length=MOST_PRODUCTS)
    ] = tuple(f"{base}-USD" for base in _LARGE.split())
    """What `ticker`, `stats` and `candles` are about, each such as "BTC-USD"."""
    ticker_every: Cadence = timedelta(minutes=1)
    """Cadence of `ticker` and of `stats`."""
    interval: Interval = "1m"
    """Width of the candles of `candles`."""
    candles_every: Cadence = timedelta(minutes=5)
    """Cadence of `candles`; each slot asks for the candles of two, and for 60 at least."""

    @model_validator(mode="after")
    def _check_cadence(self) -> CoinbaseSettings:
        check_cadence("candles_every", self.candles_every, self.interval, MOST_CANDLES)
        return self
