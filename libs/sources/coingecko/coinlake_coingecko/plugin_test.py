"""CoinGecko as the core meets it: found by its plugin, made from settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coinlake import plugins
from coinlake.errors import FixConfiguration
from coinlake.model import Dataset, Limits, Window
from coinlake.source import Source
from coinlake_coingecko.plugin import CoinGecko
from coinlake_coingecko.settings import CoinGeckoSettings

SLOT = datetime(2026, 3, 1, tzinfo=UTC)


def source(**given: Any) -> Source:
    return plugins.load(["coinlake_coingecko.plugin"], installed=False).make_source("coingecko", given)


def test_the_plugin_makes_a_source_of_its_settings_table() -> None:
    made: Source = CoinGecko(CoinGeckoSettings())  # mypy holds it against the protocol
    assert type(source()) is type(made)
    assert source().name == "coingecko"


@pytest.mark.parametrize(
    ("given", "root", "key_header", "limits"),
    [
        (
            {},
            "https://api.coingecko.com/api/v3",
            None,
            Limits(windows=(Window(60, 5),)),
        ),
        (
            {"plan": "demo", "api_key": "k"},
            "https://api.coingecko.com/api/v3",
            "x-cg-demo-api-key",
            Limits(windows=(Window(60, 30),), credits_per_month=10_000),
        ),
        (
            {"plan": "pro", "api_key": "k"},
            "https://pro-api.coingecko.com/api/v3",
            "x-cg-pro-api-key",
            Limits(windows=(Window(60, 250),), credits_per_month=100_000),
        ),
        (
            {"plan": "pro", "api_key": "k", "calls_per_minute": 500, "credits_per_month": 2_000_000},
            "https://pro-api.coingecko.com/api/v3",
            "x-cg-pro-api-key",
            Limits(windows=(Window(60, 500),), credits_per_month=2_000_000),
        ),
    ],
)
def test_a_plan_means_a_root_a_key_header_and_limits(
    given: dict[str, Any], root: str, key_header: str | None, limits: Limits
) -> None:
    made = source(**given)
    assert (made.root, made.limits) == (root, limits)
    assert {name: key.get_secret_value() for name, key in made.secret_headers.items()} == (
        {key_header: "k"} if key_header else {}
    )


def test_another_root_replaces_the_plans() -> None:
    assert source(root="http://127.0.0.1:1/api/v3").root == "http://127.0.0.1:1/api/v3"


def test_a_slot_costs_as_many_calls_as_its_coins_need_pages() -> None:
    made = source(top=600, every="10m")
    assert made.datasets == {"markets": Dataset("markets", timedelta(minutes=10), calls_per_slot=3)}
    assert [dict(request.params)["per_page"] for request in made.plan("markets", SLOT)] == ["200"]


def test_history_is_asked_in_the_currency_of_the_settings() -> None:
    [request] = source(vs_currency="eur").history("markets", "bitcoin", (SLOT, SLOT + timedelta(days=1)))
    assert request.path == "/coins/bitcoin/market_chart/range"
    assert dict(request.params)["vs_currency"] == "eur"


def test_a_dataset_that_does_not_exist_is_refused_with_a_guess() -> None:
    made, refusal = source(), "unknown dataset 'market'; did you mean 'markets'"
    with pytest.raises(FixConfiguration, match=refusal):
        made.plan("market", SLOT)
    with pytest.raises(FixConfiguration, match=refusal):
        made.history("market", "bitcoin", (SLOT, SLOT))


def test_a_wrong_setting_is_named_with_its_table() -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.coingecko\.tpo: .*did you mean 'top'"):
        source(tpo=5)
