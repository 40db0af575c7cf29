"""CoinGecko, registered: the source's parts put together behind the core's protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa

from coinlake.clock import Clock, SystemClock
from coinlake.errors import FixConfiguration
from coinlake.model import Capture, Dataset, Decoded, Limits, Request, Response, Verdict, Window
from coinlake.plugins import SourcePlugin, hookimpl
from coinlake.settings import Secret, unknown
from coinlake_coingecko import requests
from coinlake_coingecko.decode import decode
from coinlake_coingecko.judge import judge
from coinlake_coingecko.settings import PLANS, CoinGeckoSettings

NAME = "coingecko"
MARKETS = "markets"
"""The dataset of the largest coins' quotes."""


class CoinGecko:
    """A `coinlake.source.Source`. `clock` tells how far back its fine-grained history reaches."""

    name = NAME
    version = "1"

    def __init__(self, settings: CoinGeckoSettings, clock: Clock | None = None) -> None:
        plan = PLANS[settings.plan]
        self._settings = settings
        self._clock = clock or SystemClock()
        self.root = settings.root or plan.root
        self.secret_headers: Mapping[str, Secret] = (
            {plan.key_header: settings.api_key} if plan.key_header and settings.api_key else {}
        )
        self.datasets: Mapping[str, Dataset] = {
            MARKETS: Dataset(MARKETS, settings.every, calls_per_slot=requests.pages(settings.top))
        }
        self.limits = Limits(
            windows=(Window(seconds=60, weight=settings.calls_per_minute or plan.calls_per_minute),),
            credits_per_month=settings.credits_per_month or plan.credits_per_month,
        )

    def plan(self, dataset: str, slot: datetime) -> Iterable[Request]:
        """The first page; whatever the slot, CoinGecko answers with its present."""
        self._check(dataset)
        return [requests.markets_page(self._settings.top, self._settings.vs_currency, page=1)]

    def follow(self, capture: Capture) -> Iterable[Request]:
        """The next page, until the top coins are complete or the venue has no more."""
        return requests.next_page(self._settings.top, capture)

    def judge(self, response: Response) -> Verdict:
        """What an answer means; see `coinlake_coingecko.judge`."""
        return judge(response)

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        """Quotes and rejects of `markets` captures."""
        return decode(captures)

    def history(self, dataset: str, asset: str, window: tuple[datetime, datetime]) -> Iterable[Request]:
        """Price charts that cover [start, end): every 5 minutes for the last day, hourly before."""
        self._check(dataset)
        return requests.chart_windows(asset, self._settings.vs_currency, window, self._clock.now())

    def _check(self, dataset: str) -> None:
        if dataset not in self.datasets:
            raise FixConfiguration(f"{NAME}: {unknown('dataset', dataset, list(self.datasets))}")


@hookimpl
def coinlake_sources() -> Iterable[SourcePlugin]:
    """CoinGecko, with its settings table."""
    return [SourcePlugin(NAME, CoinGeckoSettings, CoinGecko)]
