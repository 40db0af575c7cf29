"""Coinbase keeps the contract of every source."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from coinlake.testing import SourceContract
from coinlake.testing.mimic import Mimic
from coinlake_coinbase.mimic import CoinbaseMimic
from coinlake_coinbase.plugin import coinlake_sources
from coinlake_coinbase.recordings import FOLDER


class TestCoinbase(SourceContract):
    (plugin,) = coinlake_sources()
    recordings = FOLDER
    settings = MappingProxyType({"products": ["BTC-USD"]})
    settings_of = MappingProxyType({"stats": {"products": ["ETH-USDT"]}})
    zero_is_null = frozenset({"price", "high_24h", "low_24h"})
    history_step = timedelta(minutes=1)

    def mimic(self) -> Mimic:
        return CoinbaseMimic()
