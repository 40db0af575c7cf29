"""What CoinGecko really said comes out digit for digit, with all its oddities."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from coinlake.model import AMOUNTS, Capture, capture_batch
from coinlake_coingecko.decode import MARKETS, decode
from coinlake_coingecko.recordings import DAILY, FOLDER

PAGES = FOLDER / "coins_markets"
BODIES = sorted(file for file in PAGES.rglob("*.json") if not file.name.endswith(".headers.json"))
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)


def capture(body: bytes, page: int = 1) -> Capture:
    """A `markets` capture of a body."""
    return Capture(
        source="coingecko",
        dataset="markets",
        slot=RECEIVED,
        page=page,
        url="https://api.coingecko.com/api/v3/coins/markets",
        params=(("vs_currency", "usd"),),
        status=200,
        headers={},
        body=body,
        requested_at=RECEIVED,
        received_at=RECEIVED,
        run_id="test",
        plugin_version="1",
        traceparent="",
    )


def rows_of(file: Path) -> list[dict[str, Any]]:
    """A page's rows by the standard library, numbers as their text."""
    rows: list[dict[str, Any]] = json.loads(file.read_bytes(), parse_float=str, parse_int=str)
    return rows


def quotes_of(*names: str) -> dict[str, dict[str, Any]]:
    """Quotes of recorded pages by asset; of several pages the last."""
    decoded = decode(capture_batch(capture((PAGES / name).read_bytes()) for name in names))
    assert decoded.rejects.num_rows == 0
    return {quote["asset"]: quote for quote in decoded.quotes.to_pylist()}


@pytest.mark.parametrize("file", BODIES, ids=lambda file: str(file.relative_to(PAGES)))
def test_every_recorded_page_comes_out_whole_with_the_very_digits_of_its_text(file: Path) -> None:
    decoded = decode(capture_batch([capture(file.read_bytes())]))
    assert decoded.rejects.to_pylist() == []
    rows = rows_of(file)
    quotes = decoded.quotes.to_pylist()
    assert len(quotes) == len(rows)
    for number, (quote, row) in enumerate(zip(quotes, rows, strict=True)):
        assert quote["path"] == f"/{number}"
        assert quote["quote_currency"] == "usd"
        assert quote["as_of"] == datetime.fromisoformat(row["last_updated"])
        for column in ("asset", "symbol", "name", "rank", *AMOUNTS):
            assert quote[column] == row[MARKETS.keys[column]], column
        extra = json.loads(quote["extra"], parse_float=str, parse_int=str)
        assert extra == {key: value for key, value in row.items() if key not in MARKETS.keys.values()}


def test_sixty_days_are_six_thousand_different_quotes() -> None:
    files = sorted(DAILY.glob("*.json"))
    decoded = decode(capture_batch(capture(file.read_bytes(), page) for page, file in enumerate(files)))
    seen = {(row["id"], row["last_updated"]) for file in files for row in rows_of(file)}
    assert len(files) == 60
    assert decoded.quotes.num_rows == 6000 == len(seen)


def test_a_price_of_some_billionths_keeps_its_digits() -> None:
    coin = quotes_of("daily_oddities/2023-04-25T005216Z.json")["baby-doge-coin"]
    assert coin["price"] == "2.839e-09"
    assert Decimal(coin["price"]) == Decimal("0.000000002839")


def test_an_absurd_change_beyond_any_fixed_decimal_is_kept_by_its_name_verbatim() -> None:
    coin = quotes_of("daily_oddities/2023-08-06T004812Z.json")["bone-shibaswap"]
    extra = json.loads(coin["extra"], parse_float=str)
    assert extra["atl"] == "0.0"
    assert Decimal(extra["atl_change_percentage"]).adjusted() == 37
    assert f'"atl_change_percentage":{extra["atl_change_percentage"]}' in coin["extra"]


def test_a_supply_of_quadrillions_keeps_all_its_digits() -> None:
    coin = quotes_of("daily_oddities/2023-04-16T005320Z.json")["baby-doge-coin"]
    assert Decimal(coin["total_supply"]) == Decimal("4.2e17")


def test_a_coin_without_a_rank_among_the_first_hundred_has_null_and_not_zero() -> None:
    coin = quotes_of("daily_oddities/2024-09-05T005657Z.json")["polygon-ecosystem-token"]
    assert coin["rank"] is None
    assert coin["market_cap"] == "2117515845"


def test_a_ghost_rank_comes_with_a_market_cap_of_zero_which_is_not_null() -> None:
    coin = quotes_of("other_repos/2022-01-06T065436Z_57rows.json")["poken"]
    assert (coin["rank"], coin["market_cap"], coin["price"]) == (None, "0.0", "0.04838178")


def test_ranks_with_gaps_are_kept_as_they_are() -> None:
    quotes = quotes_of("other_repos/2022-01-06T065436Z_57rows.json").values()
    ranks = sorted(int(quote["rank"]) for quote in quotes if quote["rank"])
    assert max(after - before for before, after in pairwise(ranks)) > 100


def test_a_supply_of_zero_is_not_null() -> None:
    assert quotes_of("daily_oddities/2024-11-22T015102Z.json")["tron"]["total_supply"] == "0.0"


def test_24_hour_figures_that_the_venue_left_out_are_null() -> None:
    quotes = quotes_of("daily_oddities/2025-11-22T010700Z.json").values()
    without = [quote for quote in quotes if quote["high_24h"] is None]
    assert without
    assert all(quote["price"] is not None and quote["price_change_24h"] is None for quote in without)


def test_a_change_of_seventeen_thousand_percent_is_a_fact() -> None:
    coin = quotes_of("daily_oddities/2026-04-17T020314Z.json")["united-stables"]
    assert Decimal(coin["market_cap_change_pct_24h"]) > 17_000


def test_names_keep_their_invisible_characters() -> None:
    assert quotes_of("daily_oddities/2026-02-16T014530Z.json")["stable-2"]["name"] == "\u200b\u200bStable"


def test_a_stale_page_and_a_stale_coin_keep_the_venues_own_time() -> None:
    page = quotes_of("daily_oddities/2023-03-28T005617Z.json").values()
    fetched = datetime(2023, 3, 28, 0, 56, 17, tzinfo=UTC)
    assert all(fetched - quote["as_of"] > timedelta(hours=7) for quote in page)
    times = [q["as_of"] for q in quotes_of("daily_oddities/2026-04-17T020314Z.json").values()]
    assert max(times) - min(times) > timedelta(days=7)


def test_a_page_served_from_the_venues_cache_again_is_the_same_quotes() -> None:
    body = (PAGES / "daily_oddities/2023-03-28T005617Z.json").read_bytes()
    quotes = decode(capture_batch([capture(body), capture(body, page=2)])).quotes
    key = quotes.select(["asset", "as_of"]).to_pylist()
    assert key[:100] == key[100:]


def with_first(**changes: object) -> pa.RecordBatch:
    """A recorded page whose first row is changed."""
    rows = json.loads((DAILY / "2024-10-15T010057Z.json").read_bytes())
    rows[0] |= changes
    return capture_batch([capture(json.dumps(rows).encode())])


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        ("current_price", None, "price"),
        ("id", "_", "asset"),
        ("name", " ", "name"),
        ("name", "柴犬 🐕", "name"),
    ],
)
def test_what_is_odd_but_possible_is_kept_as_it_came(key: str, value: object, column: str) -> None:
    decoded = decode(with_first(**{key: value}))
    assert decoded.rejects.num_rows == 0
    assert decoded.quotes.column(column)[0].as_py() == value


def test_a_supply_above_the_largest_machine_integer_keeps_its_digits() -> None:
    decoded = decode(with_first(total_supply=2**63 + 1, max_supply=10**30 + 7))
    assert decoded.quotes.column("total_supply")[0].as_py() == str(2**63 + 1)
    assert decoded.quotes.column("max_supply")[0].as_py() == str(10**30 + 7)
