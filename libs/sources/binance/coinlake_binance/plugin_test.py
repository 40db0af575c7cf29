"""Binance as the core meets it: found by its plugin, made from settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coinlake import plugins
from coinlake.errors import FixConfiguration
from coinlake.model import Dataset, Limits, Window
from coinlake.source import Source
from coinlake.testing.stopped_clock import StoppedClock
from coinlake_binance.plugin import Binance
from coinlake_binance.settings import BinanceSettings

SLOT = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = (SLOT - timedelta(hours=1), SLOT)


def source(**given: Any) -> Source:
    return plugins.load(["coinlake_binance.plugin"], installed=False).make_source("binance", given)


def test_the_plugin_makes_a_source_of_its_settings_table() -> None:
    made: Source = Binance(BinanceSettings())  # mypy holds it against the protocol
    assert type(source()) is type(made)
    assert (source().name, source().root) == ("binance", "https://data-api.binance.vision")
    assert not source().secret_headers


def test_the_weight_is_binances_own_and_told_by_its_header() -> None:
    assert source().limits == Limits(windows=(Window(60, 6000),), used_weight_header="x-mbx-used-weight-1m")


def test_three_datasets_take_the_calls_they_say() -> None:
    made = source(symbols=[f"A{n}USDT" for n in range(41)], ticker_every="2m", klines_every="10m")
    assert made.datasets == {
        "ticker": Dataset("ticker", timedelta(minutes=2), calls_per_slot=3),
        "klines": Dataset("klines", timedelta(minutes=10), calls_per_slot=41),
        "instruments": Dataset("instruments", timedelta(days=1), calls_per_slot=1),
    }
    for name, dataset in made.datasets.items():
        requests = list(made.plan(name, SLOT))
        assert [request.page for request in requests] == list(range(1, dataset.calls_per_slot + 1))


def test_the_past_of_an_asset_is_that_of_all_its_configured_symbols() -> None:
    made = source(symbols=["BTCUSDT", "ETHBTC", "BTCEUR"])
    asked = [dict(request.params)["symbol"] for request in made.history("klines", "BTC", HOUR)]
    assert asked == ["BTCUSDT", "BTCEUR"]
    [request] = made.history("klines", "ETHBTC", HOUR)
    assert dict(request.params)["symbol"] == "ETHBTC"


def test_no_candle_of_the_past_is_asked_that_is_open_now() -> None:
    made = Binance(BinanceSettings(symbols=("BTCUSDT",)), StoppedClock(SLOT + timedelta(seconds=90)))
    [request] = made.history("klines", "BTC", (SLOT, SLOT + timedelta(days=1)))
    params = dict(request.params)
    assert int(params["endTime"]) - int(params["startTime"]) == 59_999


@pytest.mark.parametrize("dataset", ["ticker", "instruments"])
def test_what_has_no_past_says_so(dataset: str) -> None:
    with pytest.raises(FixConfiguration, match=f"there is no past of '{dataset}'; ask for 'klines'"):
        source().history(dataset, "BTC", HOUR)


def test_an_asset_that_is_not_configured_is_refused_with_a_guess() -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.binance\.symbols: unknown asset 'BTX'; did you"):
        source().history("klines", "BTX", HOUR)


def test_a_dataset_that_does_not_exist_is_refused_with_a_guess() -> None:
    made, refusal = source(), "unknown dataset 'kline'; did you mean 'klines'"
    with pytest.raises(FixConfiguration, match=refusal):
        made.plan("kline", SLOT)
    with pytest.raises(FixConfiguration, match=refusal):
        made.history("kline", "BTC", HOUR)


def test_a_wrong_setting_is_named_with_its_table() -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.binance\.symbol: .*did you mean 'symbols'"):
        source(symbol="BTCUSDT")
