"""Rows that cannot be true are refused with every rule they break; whatever could be is kept."""

from __future__ import annotations

import json
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlake.model import QUOTES, Decoded
from coinlake.testing.pages import RECEIVED, decoded, page, row
from coinlake_refine.validate import MAX_RANK, SIGNED, validate


def validated(*rows: str) -> Decoded:
    """A page of rows after validation."""
    return validate(decoded(page(*rows)))


def at(after: timedelta) -> str:
    """A time as the venue writes it, counted from when the page was received."""
    return json.dumps((RECEIVED + after).isoformat())


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"id": '""'}, "no_asset: asset is ''"),
        ({"id": '"  "'}, "no_asset: asset is '  '"),
        ({"id": "null"}, "no_asset: asset is null"),
        ({"id": json.dumps("x" * 501)}, "long_text: asset is 'xxx"),
        ({"id": r'"bit\u0000coin"'}, "nul_character: asset is 'bit\\x00coin'"),
        ({"name": r'"\u0000"'}, "nul_character: name"),
        ({"name": json.dumps("é" * 501)}, "long_text: name"),
        ({"at": "null"}, "no_time: as_of is null"),
        ({"at": '"2009-01-02T23:59:59.999999Z"'}, "before_bitcoin: as_of is 2009-01-02"),
        ({"at": at(timedelta(minutes=5, microseconds=1))}, "future_time: as_of"),
        ({"price": "-0.000001"}, "negative: price is '-0.000001'"),
        ({"cap": "-1e-99"}, "negative: market_cap"),
        ({"price": "1e39"}, "implausible: price is '1e39'"),
        ({"cap": "1" + "0" * 40}, "implausible: market_cap"),
        ({"price": "9" * 400}, "implausible: price is '9999"),
        ({"price": "1E+9999999999999999999"}, "implausible: price"),
        ({"price": "0e9999999999"}, "implausible: price"),
        ({"price": "1e-500"}, "implausible: price"),
        ({"cap": "-1E+9999999999999999999"}, "negative: market_cap"),
        ({"rank": "-0"}, "not_a_rank"),
        ({"price": "1e-101"}, "implausible: price"),
        ({"price": "0." + "0" * 100 + "1"}, "implausible: price"),
        ({"rank": "0"}, "not_a_rank: rank is '0'"),
        ({"rank": "-1"}, "not_a_rank"),
        ({"rank": "1.0"}, "not_a_rank"),
        ({"rank": str(MAX_RANK + 1)}, "not_a_rank"),
        ({"rank": "1" * 30}, "not_a_rank"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_with_its_reason_and_its_neighbours_go_on(
    members: dict[str, str], reason: str
) -> None:
    found = validated(row("first"), row(**members), row("last"))
    assert found.quotes.column("asset").to_pylist() == ["first", "last"]
    (reject,) = found.rejects.to_pylist()
    assert reject["path"] == "/1"
    assert reject["stage"] == "validate"
    assert any(said.startswith(reason) for said in reject["reasons"]), reject["reasons"]


@pytest.mark.parametrize(
    "members",
    [
        {"id": '"_"'},
        {"id": '"比特币"'},
        {"id": json.dumps("é" * 500)},
        {"name": '""'},
        {"name": '" "'},
        {"name": '"柴犬 🐕"'},
        {"name": r'"\u200b\u200bStable"'},
        {"name": "null"},
        {"price": "null"},
        {"price": "0"},
        {"price": "-0.0"},
        {"price": "2.839e-09"},
        {"price": "1e-100"},
        {"price": "1" + "0" * 38},
        {"price": "0." + "1" * 100},
        {"cap": "0.0", "rank": "null"},
        {"rank": str(MAX_RANK)},
        {"rank": "208"},
        {"at": at(timedelta(minutes=5))},
        {"at": at(timedelta(days=-8))},
        {"at": '"2009-01-03T00:00:00Z"'},
    ],
)
def test_what_is_odd_but_possible_is_kept(members: dict[str, str]) -> None:
    found = validated(row(**members))
    assert (found.quotes.num_rows, found.rejects.num_rows) == (1, 0)


def test_every_broken_rule_is_told() -> None:
    found = validated(row(id='" "', price="-1e50", rank="0"))
    (reasons,) = found.rejects.column("reasons").to_pylist()
    assert [reason.split(":")[0] for reason in reasons] == [
        "no_asset",
        "negative",
        "implausible",
        "not_a_rank",
    ]


def test_changes_may_be_negative() -> None:
    changes = {f"{amount}_change_{kind}24h" for amount in ("price", "market_cap") for kind in ("", "pct_")}
    assert changes == SIGNED


@given(st.sampled_from([None, "", " ", "a"]), st.sampled_from([None, "", "\t", "usd"]))
def test_a_row_without_its_asset_or_currency_is_refused_and_says_which(
    asset: str | None, currency: str | None
) -> None:
    keyed = {"asset": asset, "quote_currency": currency}
    quotes = decoded(page(row())).quotes.to_pylist()
    found = validate(Decoded(pa.RecordBatch.from_pylist([quotes[0] | keyed], QUOTES)))
    lacking = [f"no_{name}" for name, text in keyed.items() if not (text or "").strip()]
    assert found.quotes.num_rows == (not lacking)
    (reasons,) = found.rejects.column("reasons").to_pylist() or [[]]
    assert [reason.split(":")[0] for reason in reasons] == lacking


def test_validating_again_changes_nothing() -> None:
    once = validated(row("good"), row(price="-1"))
    again = validate(once)
    assert again.quotes.equals(once.quotes)
    assert again.rejects.equals(once.rejects)
