"""Coinbase as the core meets it: found by its plugin, made from settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coinlake import plugins
from coinlake.errors import FixConfiguration
from coinlake.model import Bucket, Dataset, Limits
from coinlake.source import Source
from coinlake.testing.stopped_clock import StoppedClock
from coinlake_coinbase.plugin import Coinbase
from coinlake_coinbase.settings import CoinbaseSettings

SLOT = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = (SLOT - timedelta(hours=1), SLOT)


def source(**given: Any) -> Source:
    return plugins.load(["coinlake_coinbase.plugin"], installed=False).make_source("coinbase", given)


def test_the_plugin_makes_a_source_of_its_settings_table() -> None:
    made: Source = Coinbase(CoinbaseSettings())  # mypy holds it against the protocol
    assert type(source()) is type(made)
    assert (source().name, source().root) == ("coinbase", "https://api.exchange.coinbase.com")
    assert not source().secret_headers


def test_it_keeps_a_tenth_below_the_ten_calls_a_second_that_coinbase_allows() -> None:
    assert source().limits == Limits(bucket=Bucket(per_second=9, burst=13))


def test_four_datasets_take_the_calls_they_say() -> None:
    made = source(products=["BTC-USD", "ETH-USD", "SOL-USD"], ticker_every="2m", candles_every="10m")
    assert made.datasets == {
        "ticker": Dataset("ticker", timedelta(minutes=2), calls_per_slot=3),
        "stats": Dataset("stats", timedelta(minutes=2), calls_per_slot=3),
        "candles": Dataset("candles", timedelta(minutes=10), calls_per_slot=3),
        "instruments": Dataset("instruments", timedelta(days=1), calls_per_slot=1),
    }
    for name, dataset in made.datasets.items():
        requests = list(made.plan(name, SLOT))
        assert [request.page for request in requests] == list(range(1, dataset.calls_per_slot + 1))


def test_the_past_of_an_asset_is_that_of_all_its_configured_products() -> None:
    made = source(products=["BTC-USD", "ETH-BTC", "BTC-EUR"])
    asked = [request.path for request in made.history("candles", "BTC", HOUR)]
    assert asked == ["/products/BTC-USD/candles", "/products/BTC-EUR/candles"]
    [request] = made.history("candles", "ETH-BTC", HOUR)
    assert request.path == "/products/ETH-BTC/candles"


def test_no_candle_of_the_past_is_asked_that_is_open_now() -> None:
    made = Coinbase(CoinbaseSettings(products=("BTC-USD",)), StoppedClock(SLOT + timedelta(seconds=90)))
    [request] = made.history("candles", "BTC", (SLOT, SLOT + timedelta(days=1)))
    params = dict(request.params)
    assert params["start"] == params["end"] == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize("dataset", ["ticker", "stats", "instruments"])
def test_what_has_no_past_says_so(dataset: str) -> None:
    with pytest.raises(FixConfiguration, match=f"there is no past of '{dataset}'; ask for 'candles'"):
        source().history(dataset, "BTC", HOUR)


def test_an_asset_that_is_not_configured_is_refused_with_a_guess() -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.coinbase\.products: unknown asset 'BTX'; did you"):
        source().history("candles", "BTX", HOUR)


def test_a_dataset_that_does_not_exist_is_refused_with_a_guess() -> None:
    made, refusal = source(), "unknown dataset 'candle'; did you mean 'candles'"
    with pytest.raises(FixConfiguration, match=refusal):
        made.plan("candle", SLOT)
    with pytest.raises(FixConfiguration, match=refusal):
        made.history("candle", "BTC", HOUR)


def test_a_wrong_setting_is_named_with_its_table() -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.coinbase\.product: .*did you mean 'products'"):
        source(product="BTC-USD")
