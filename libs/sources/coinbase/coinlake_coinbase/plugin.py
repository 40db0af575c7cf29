"""Coinbase Exchange, registered: the source's parts put together behind the core's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import pyarrow as pa

from coinlake.clock import Clock, SystemClock
from coinlake.errors import FixConfiguration
from coinlake.model import Bucket, Capture, Dataset, Decoded, Limits, Request, Response, Verdict
from coinlake.plugins import SourcePlugin, hookimpl
from coinlake.settings import Secret, unknown
from coinlake_coinbase import requests
from coinlake_coinbase.decode import CANDLES, INSTRUMENTS, STATS, TICKER, decode
from coinlake_coinbase.judge import judge
from coinlake_coinbase.products import split
from coinlake_coinbase.settings import CoinbaseSettings

NAME = "coinbase"

_BUCKET = Bucket(per_second=9, burst=13)
"""A tenth below the 10 a second in bursts of 15 that Coinbase allows one address: it counts calls as they
arrive, and calls that left evenly spaced may arrive two at once."""


class Coinbase:
    """A `coinlake.source.Source`. `clock` tells which candles of a past window are closed."""

    name = NAME
    version = "1"
    secret_headers: Mapping[str, Secret] = {}
    limits = Limits(bucket=_BUCKET)

    def __init__(self, settings: CoinbaseSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self.root = settings.root
        calls = len(settings.products)
        self.datasets: Mapping[str, Dataset] = {
            TICKER: Dataset(TICKER, settings.ticker_every, calls_per_slot=calls),
            STATS: Dataset(STATS, settings.ticker_every, calls_per_slot=calls),
            CANDLES: Dataset(CANDLES, settings.candles_every, calls_per_slot=calls),
            INSTRUMENTS: Dataset(INSTRUMENTS, timedelta(days=1)),
        }

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        """All requests of a slot; only those of `candles` depend on it."""
        self._check(dataset)
        asked = self._settings
        if dataset == INSTRUMENTS:
            return [requests.all_products()]
        if dataset == CANDLES:
            return requests.latest_candles(asked.products, asked.interval, asked.candles_every, slot)
        return requests.of_each(asked.products, dataset)

    def follow(self, capture: Capture) -> Iterable[Request]:
        """Nothing: no answer of Coinbase leads to another."""
        return ()

    def judge(self, response: Response) -> Verdict:
        """What an answer means."""
        return judge(response)

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        """Quotes, candles, instruments and rejects of captures of any dataset."""
        return decode(captures)

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        """Candles that cover [start, end), of every configured product that is `asset` (or named so)."""
        self._check(dataset)
        if dataset != CANDLES:
            raise FixConfiguration(f"{NAME}: there is no past of {dataset!r}; ask for {CANDLES!r}.")
        bases = {product: pair.base for product in self._settings.products if (pair := split(product))}
        chosen = [product for product, base in bases.items() if asset in (product, base)]
        if not chosen:
            refusal = unknown("asset", asset, sorted(set(bases.values())))
            raise FixConfiguration(f"sources.{NAME}.products: {refusal}")
        return requests.past_candles(chosen, self._settings.interval, window, self._clock.now())

    def _check(self, dataset: str) -> None:
        if dataset not in self.datasets:
            raise FixConfiguration(f"{NAME}: {unknown('dataset', dataset, list(self.datasets))}")


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    """Coinbase Exchange, with its settings table."""
    return [SourcePlugin(NAME, CoinbaseSettings, Coinbase)]
