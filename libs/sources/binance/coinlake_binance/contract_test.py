"""Binance keeps the contract of every source."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from coinlake.model import AMOUNTS
from coinlake.testing import SourceContract
from coinlake.testing.mimic import Mimic
from coinlake_binance.mimic import BinanceMimic
from coinlake_binance.plugin import coinlake_sources
from coinlake_binance.recordings import FOLDER


class TestBinance(SourceContract):
    (plugin,) = coinlake_sources()
    recordings = FOLDER
    settings = MappingProxyType({"symbols": ["BTCUSDT"], "interval": "1h", "klines_every": "1h"})
    zero_is_null = frozenset(AMOUNTS)
    history_step = timedelta(milliseconds=1)

    def mimic(self) -> Mimic:
        return BinanceMimic()
