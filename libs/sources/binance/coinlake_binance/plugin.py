"""Binance Spot, registered: the source's parts put together behind the core's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa

from coinlake.clock import Clock, SystemClock
from coinlake.errors import FixConfiguration
from coinlake.model import Capture, Dataset, Decoded, Keep, Limits, Request, Response, Verdict, Window
from coinlake.plugins import SourcePlugin, hookimpl
from coinlake.settings import Secret, unknown
from coinlake_binance import requests
from coinlake_binance.decode import INSTRUMENTS, KLINES, TICKER, decode
from coinlake_binance.judge import judge
from coinlake_binance.pairs import split
from coinlake_binance.settings import BinanceSettings

NAME = "binance"

_WEIGHT_PER_MINUTE = 6000
"""What Binance allows one address, until its own `exchangeInfo` says otherwise."""
_USED_WEIGHT = "x-mbx-used-weight-1m"


class Binance:
    """A `coinlake.source.Source`. `clock` tells which candles of a past window are closed."""

    name = NAME
    version = "1"
    secret_headers: Mapping[str, Secret] = {}

    def __init__(self, settings: BinanceSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self.root = settings.root
        symbols = settings.symbols
        self.datasets: Mapping[str, Dataset] = {
            TICKER: Dataset(TICKER, settings.ticker_every, calls_per_slot=requests.ticker_calls(symbols)),
            KLINES: Dataset(KLINES, settings.klines_every, calls_per_slot=len(symbols)),
            INSTRUMENTS: Dataset(INSTRUMENTS, timedelta(days=1)),
        }
        self.limits = Limits(
            windows=(Window(seconds=60, weight=settings.weight_per_minute or _WEIGHT_PER_MINUTE),),
            used_weight_header=_USED_WEIGHT,
        )

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        """All requests of a slot; only those of `klines` depend on it."""
        self._check(dataset)
        asked = self._settings
        if dataset == TICKER:
            return requests.tickers(asked.symbols)
        if dataset == INSTRUMENTS:
            return [requests.exchange_info()]
        return requests.latest_klines(asked.symbols, asked.interval, asked.klines_every, slot)

    def follow(self, capture: Capture) -> Iterable[Request]:
        """Nothing: no answer of Binance leads to another."""
        return ()

    def judge(self, response: Response) -> Verdict:
        """What an answer means; a limit of the settings' own stands above what Binance states."""
        verdict = judge(response)
        if isinstance(verdict, Keep) and self._settings.weight_per_minute:
            return replace(verdict, windows=None)
        return verdict

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        """Quotes, candles, instruments and rejects of captures of any dataset."""
        return decode(captures)

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        """Klines that cover [start, end), of every configured symbol that is `asset` (or named so)."""
        self._check(dataset)
        if dataset != KLINES:
            raise FixConfiguration(f"{NAME}: there is no past of {dataset!r}; ask for {KLINES!r}.")
        bases = {symbol: pair.base for symbol in self._settings.symbols if (pair := split(symbol))}
        chosen = [symbol for symbol, base in bases.items() if asset in (symbol, base)]
        if not chosen:
            refusal = unknown("asset", asset, sorted(set(bases.values())))
            raise FixConfiguration(f"sources.{NAME}.symbols: {refusal}")
        return requests.past_klines(chosen, self._settings.interval, window, self._clock.now())

    def _check(self, dataset: str) -> None:
        if dataset not in self.datasets:
            raise FixConfiguration(f"{NAME}: {unknown('dataset', dataset, list(self.datasets))}")


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    """Binance Spot, with its settings table."""
    return [SourcePlugin(NAME, BinanceSettings, Binance)]
