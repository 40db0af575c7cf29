"""The venues of a demo: CoinGecko as it was recorded, and two exchanges beside it whose answers are made up.

No recording of Binance or Coinbase is of the days that CoinGecko's are. What they might have said at those
moments is made from CoinGecko's prices and marked synthetic, in the lake and in every row and view of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from coinlake.assets import load as load_assets
from coinlake.clock import Clock
from coinlake.testing.mimic import Mimic
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake_binance import recordings as of_binance
from coinlake_binance import synthetic as made_up_binance
from coinlake_binance.mimic import BinanceMimic
from coinlake_coinbase import recordings as of_coinbase
from coinlake_coinbase import synthetic as made_up_coinbase
from coinlake_coinbase.mimic import CoinbaseMimic
from coinlake_coingecko.mimic import CoinGeckoMimic, market_pages
from coinlake_coingecko.recordings import DAILY

Prices = list[tuple[datetime, Mapping[str, Decimal]]]
"""Moments in order, each with prices in US dollars by CoinGecko's id."""


MOST_INSTRUMENTS = 12
"""Of each made-up exchange: enough to compare, and a demo of half a minute."""


@dataclass(frozen=True)
class Venue:
    """A venue that a replay server stands in for."""

    source: str
    mimic: Mimic
    recordings: Sequence[Recording]
    course: Mapping[str, Sequence[Recording]]
    """By dataset: the recordings whose moments make its slots."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Its settings, but for `root`."""

    @property
    def is_made_up(self) -> bool:
        """True where the answers of its course were never given."""
        return any(each.synthetic for recordings in self.course.values() for each in recordings)


class _Row(msgspec.Struct):
    id: str
    current_price: Decimal | None


_rows = msgspec.json.Decoder(list[_Row])


def recorded(folders: Sequence[Path]) -> list[Venue]:
    """CoinGecko from the user's own recordings, and no other venue."""
    return [_coingecko(load(folders))]


def shipped() -> list[Venue]:
    """CoinGecko's recorded days, and two exchanges made up of them."""
    coingecko = _coingecko(load(DAILY))
    prices = _prices(coingecko.course["markets"])
    return [coingecko, _binance(_named(prices, "binance")), _coinbase(_named(prices, "coinbase"))]


@contextmanager
def replaying(venues: Sequence[Venue], clock: Clock) -> Iterator[dict[str, dict[str, Any]]]:
    """Servers that stand in for the venues; gives the settings tables of their sources."""
    with ExitStack() as servers:
        yield {
            venue.source: {
                **venue.given,
                "root": servers.enter_context(ReplayServer(venue.recordings, venue.mimic, clock)).root,
            }
            for venue in venues
        }


def _coingecko(recordings: Sequence[Recording]) -> Venue:
    course = {"markets": market_pages(recordings, "usd")}
    return Venue("coingecko", CoinGeckoMimic(), recordings, course, {"plan": "keyless"})


def _binance(prices: Prices) -> Venue:
    """Pairs against USDT: what an exchange has, and a currency that is not quite the dollar."""
    made_up = made_up_binance.made_up(prices)
    tickers = _at(made_up, "/ticker/24hr")
    given = {
        "symbols": [f"{asset}/USDT" for asset in _traded(prices, "USDT")],
        "interval": "1d",
        "klines_every": "1d",
    }
    course = {"ticker": tickers, "klines": tickers, "instruments": [tickers[0], tickers[-1]]}
    recordings = [*load(of_binance.FOLDER / "exchangeInfo"), *made_up]
    return Venue("binance", BinanceMimic(), recordings, course, given)


def _coinbase(prices: Prices) -> Venue:
    made_up = made_up_coinbase.made_up(prices)
    tickers = _at(made_up, "/ticker")
    given = {
        "products": [f"{asset}-USD" for asset in _traded(prices, "USD")],
        "interval": "1d",
        "candles_every": "1d",
    }
    course = {"ticker": tickers, "candles": tickers, "instruments": [tickers[0], tickers[-1]]}
    return Venue("coinbase", CoinbaseMimic(), [*load(of_coinbase.PRODUCTS), *made_up], course, given)


def _prices(pages: Sequence[Recording]) -> Prices:
    return [
        (at, {row.id: row.current_price for row in _rows.decode(page.body) if row.current_price})
        for page in pages
        if (at := page.recorded_at)
    ]


def _named(prices: Prices, source: str) -> Prices:
    """The same prices by the names that a venue has for its assets then."""
    names = [(asset.asset, name) for asset in load_assets() for name in asset.names if name.source == source]
    return [
        (
            moment,
            {
                name.venue_asset: by_id[asset]
                for asset, name in names
                if asset in by_id
                and (name.since is None or name.since <= moment)
                and (name.until is None or moment < name.until)
            },
        )
        for moment, by_id in prices
    ]


def _traded(prices: Prices, currency: str) -> list[str]:
    """The largest of the assets that have a price at each moment, but for the currency itself."""
    always = set.intersection(*(set(by_asset) for _, by_asset in prices))
    return [asset for asset in prices[0][1] if asset in always and asset != currency][:MOST_INSTRUMENTS]


def _at(recordings: Sequence[Recording], endpoint: str) -> list[Recording]:
    return [each for each in recordings if each.endpoint and each.endpoint.endswith(endpoint)]
