"""Made-up pages: plausible, exact text, and made of the recorded bytes."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from coinlake.testing.recordings import load
from coinlake.testing.synthetic import synthetic_between
from coinlake_coingecko import recordings
from coinlake_coingecko.synthetic import MarketsBetween

DAYS = load(recordings.DAILY)
MOVED = {"current_price", "market_cap", "total_volume", "high_24h", "low_24h", "last_updated"}


def rows(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    return found


def test_a_made_up_page_is_as_recorded_but_for_prices_and_times() -> None:
    [made] = synthetic_between(DAYS[:2], timedelta(hours=20), 1, MarketsBetween())
    for before, after in zip(rows(DAYS[0].body), rows(made.body), strict=True):
        assert list(after) == list(before)
        assert {k: v for k, v in after.items() if k not in MOVED} == {
            k: v for k, v in before.items() if k not in MOVED
        }


def test_prices_go_from_one_recording_to_the_next() -> None:
    first, last = DAYS[0], DAYS[30]  # between them bitcoin rose by a third
    assert first.recorded_at
    assert last.recorded_at
    every = (last.recorded_at - first.recorded_at) / 4
    bitcoin = [
        rows(page.body)[0]["current_price"]
        for page in [first, *synthetic_between([first, last], every, 1, MarketsBetween()), last]
    ]
    assert bitcoin[-1] / bitcoin[0] > Decimal("1.3")
    for place, price in enumerate(bitcoin):
        straight = bitcoin[0] + (bitcoin[-1] - bitcoin[0]) * place / (len(bitcoin) - 1)
        assert abs(price / straight - 1) < Decimal("0.02")


def test_a_coin_is_updated_as_long_before_the_page_as_in_the_recording() -> None:
    [made] = synthetic_between(DAYS[:2], timedelta(hours=20), 1, MarketsBetween())
    assert rows(DAYS[0].body)[0]["last_updated"] == "2024-10-15T00:55:48.380Z"
    assert rows(made.body)[0]["last_updated"] == "2024-10-15T20:55:48.380Z"


def test_a_stretched_page_has_as_many_coins_each_with_an_id_of_its_own() -> None:
    [made] = synthetic_between(DAYS[:2], timedelta(hours=20), 1, MarketsBetween(coins=250))
    ids = [row["id"] for row in rows(made.body)]
    assert len(ids) == len(set(ids)) == 250
    assert ids[0] == "bitcoin"
    assert ids[100] == "bitcoin-copy-1"


def test_nulls_and_blank_names_and_odd_ids_stay_as_they_are() -> None:
    odd = load(recordings.FOLDER / "coins_markets" / "daily_oddities")
    for earlier, later in pairwise(odd):
        assert earlier.recorded_at
        moment = earlier.recorded_at + timedelta(minutes=3)
        made = rows(MarketsBetween()(earlier, later, moment, random.Random(1)))
        for before, after in zip(rows(earlier.body), made, strict=True):
            assert [key for key in before if before[key] is None] == [k for k in after if after[k] is None]
            assert (after["id"], after["name"]) == (before["id"], before["name"])


def test_the_same_seed_makes_the_same_page() -> None:
    pages = [
        [page.body for page in synthetic_between(DAYS[:2], timedelta(hours=9), seed, MarketsBetween())]
        for seed in (1, 1, 2)
    ]
    assert pages[0] == pages[1] != pages[2]
