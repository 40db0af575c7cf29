"""CoinGecko keeps the contract of every source."""

from __future__ import annotations

from types import MappingProxyType

from coinlake.testing import SourceContract
from coinlake.testing.mimic import Mimic
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.plugin import coinlake_sources
from coinlake_coingecko.recordings import FOLDER


class TestCoinGecko(SourceContract):
    (plugin,) = coinlake_sources()
    recordings = FOLDER / "coins_markets"
    settings_with_key = MappingProxyType({"plan": "demo"})

    def mimic(self) -> Mimic:
        return CoinGeckoMimic()
