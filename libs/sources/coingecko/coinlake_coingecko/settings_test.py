"""The settings table, as a user would write it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import parse_table
from coinlake_coingecko.settings import CoinGeckoSettings


def parse(**given: Any) -> CoinGeckoSettings:
    return parse_table(CoinGeckoSettings, given, "sources.coingecko")


def test_nothing_given_is_the_top_100_in_dollars_every_three_minutes_without_a_key() -> None:
    settings = parse()
    assert (settings.plan, settings.top, settings.vs_currency) == ("keyless", 100, "usd")
    assert settings.every == timedelta(minutes=3)


def test_a_currency_is_taken_in_lower_case() -> None:
    assert parse(vs_currency="EUR").vs_currency == "eur"


@pytest.mark.parametrize("plan", ["demo", "pro"])
def test_a_plan_with_a_key_refuses_to_go_without(plan: str) -> None:
    with pytest.raises(FixConfiguration, match=f'sources.coingecko: plan "{plan}" needs api_key'):
        parse(plan=plan)


def test_a_key_without_a_plan_is_refused_and_not_shown() -> None:
    with pytest.raises(FixConfiguration, match='"keyless" takes no api_key') as refusal:
        parse(api_key="CG-secret")
    assert "CG-secret" not in str(refusal.value)


@pytest.mark.parametrize("key", ["CG-secret two", "CG-secret\nx", "CG-sécret"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(FixConfiguration, match="copy it again") as refusal:
        parse(plan="demo", api_key=key)
    assert key not in str(refusal.value)


def test_a_key_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("CG-secret\n")
    settings = parse(plan="demo", api_key_file=str(tmp_path / "key"))
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "CG-secret"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://gateway.example/coingecko/", "https://gateway.example/coingecko"),
        ("http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080/api/v3"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_another_root_may_be_named(given: str, kept: str) -> None:
    assert parse(root=given).root == kept


@pytest.mark.parametrize(
    "root",
    [
        "http://api.coingecko.com/api/v3",
        "http://127.0.0.1.example/",
        "ftp://127.0.0.1",
        "api.coingecko.com",
        "https://",
        "https://user:word@host/",
        "https://host/?x_cg_demo_api_key=1",
    ],
)
def test_a_root_that_would_give_a_key_away_is_refused(root: str) -> None:
    with pytest.raises(FixConfiguration, match=r"sources\.coingecko\.root: write an? "):
        parse(root=root)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("top", 0),
        ("top", 10_001),
        ("every", "0s"),
        ("every", "often"),
        ("vs_currency", "us dollars"),
        ("vs_currency", ""),
        ("calls_per_minute", 0),
        ("plan", "enterprise"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(key: str, value: object) -> None:
    with pytest.raises(FixConfiguration, match=rf"sources\.coingecko\.{key}"):
        parse(**{key: value})
