"""Every question that dashboards ask the warehouse is asked, of recorded days, and answered rightly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from dashboards.expressions import Expression, Shown, dashboards, expanded, expressions
from dashboards.stocked import Stocked, chosen

NUMERIC, FLOAT8, TEXT, TIMESTAMPTZ, INT4, INT8 = 1700, 701, 25, 1184, 23, 20
"""PostgreSQL's numbers of types."""
NUMBERS = (FLOAT8, INT4, INT8)

MAY_BE_EMPTY: Mapping[str, str] = {}
"""Panels without an answer from these days, each with the reason."""


def shown(stocked: Stocked, **changed: str) -> Shown:
    """All of the recorded days, of bitcoin."""
    drilled = {"trace": stocked.traceparents[-1].split("-")[1], "capture": str(stocked.cut.id)}
    return Shown(stocked.since, stocked.until, {**chosen(), **drilled, **changed})


class Answer:
    """What PostgreSQL said, with the types that Grafana sees."""

    def __init__(self, stocked: Stocked, asked: Expression, look: Shown) -> None:
        with psycopg.connect(stocked.dsn, options="-c timezone=UTC") as session:
            cursor = session.execute(expanded(asked, look).encode())
            self.types = {column.name: column.type_code for column in cursor.description or ()}
            assert len(self.types) == len(cursor.description or ()), "two columns of one name"
            self.rows = [dict(zip(self.types, row, strict=True)) for row in cursor.fetchall()]

    def column(self, name: str) -> list[Any]:
        """A column from the top."""
        return [row[name] for row in self.rows]


def ask(stocked: Stocked, title: str, dashboard: str, **changed: str) -> Answer:
    """The answer to the question of a panel."""
    (asked,) = (
        one for one in expressions("sql") if (one.title, one.dashboard) == (title, f"coinlake-{dashboard}")
    )
    return Answer(stocked, asked, shown(stocked, **changed))


def panel_of(asked: Expression) -> dict[str, Any]:
    """The panel that asks."""
    (found,) = (
        panel
        for made in dashboards()
        if made["uid"] == asked.dashboard
        for panel in made["panels"]
        if panel["title"] == asked.title
    )
    return dict(found)


@pytest.mark.parametrize("asked", expressions("sql"), ids=str)
def test_every_question_is_answered_with_what_its_panel_needs(asked: Expression, stocked: Stocked) -> None:
    answer = Answer(stocked, asked, shown(stocked))
    assert bool(answer.rows) != (str(asked) in MAY_BE_EMPTY), f"{len(answer.rows)} rows"
    # Exact digits travel as text: Grafana itself would make a binary number of NUMERIC, unsaid.
    assert NUMERIC not in answer.types.values() or asked.form == "time_series"
    if asked.part == "variable":
        assert list(answer.types) == ["__value", "__text"] or len(answer.types) == 1
        return
    panel = panel_of(asked)
    if asked.form == "time_series":
        is_a_time_series(answer)
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["options"] in answer.types, "a column that is not in the answer"
    match asked.kind:
        case "candlestick":
            assert {"open", "high", "low", "close", "volume"} <= answer.types.keys()
        case "stat":
            assert len(answer.rows) == 1
            wanted = panel["options"]["reduceOptions"]["fields"]
            named = [name for name in answer.types if wanted and re.search(wanted.strip("/"), name)]
            assert named or all(kind in NUMBERS for kind in answer.types.values())
        case "bargauge":
            assert sorted(answer.types.values()) == [TEXT, FLOAT8]
        case _:
            assert asked.kind in ("timeseries", "table")


def is_a_time_series(answer: Answer) -> None:
    """Grafana makes series of it: times in order, each once for each name; the rest are numbers."""
    assert answer.types["time"] in (TIMESTAMPTZ, NUMERIC)
    texts = [name for name, kind in answer.types.items() if kind == TEXT]
    for name, kind in answer.types.items():
        assert name == "time" or kind in (TEXT, FLOAT8), name
    keys = [(row["time"], *(row[name] for name in texts)) for row in answer.rows]
    assert all(each is not None for key in keys for each in key)
    assert [key[0] for key in keys] == sorted(key[0] for key in keys)
    assert len(keys) == len(set(keys))


def bitcoin(stocked: Stocked) -> list[dict[str, Any]]:
    """Its row on each recorded page, by a plain reading."""
    return [row for page in stocked.pages for row in stocked.rows(page) if row["id"] == "bitcoin"]


def day_of(row: Mapping[str, Any]) -> datetime:
    """The start of the day of its market time."""
    moment = datetime.fromisoformat(row["last_updated"])
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def test_the_price_is_the_last_one_that_was_recorded_digit_by_digit(stocked: Stocked) -> None:
    last = bitcoin(stocked)[-1]["current_price"]
    (price,) = ask(stocked, "Price", "markets").column("price")
    assert price == f"{last.normalize():f} USD"
    smallest = min(stocked.rows(stocked.pages[-1]), key=lambda row: row["current_price"])
    (price,) = ask(stocked, "Price", "markets", asset=smallest["id"]).column("price")
    assert price == f"{smallest['current_price'].normalize():f} USD"
    assert len(price) > 10


def test_candles_stand_at_their_market_time_and_not_where_they_were_loaded(stocked: Stocked) -> None:
    said = {day_of(row): float(row["current_price"]) for row in bitcoin(stocked)}
    candles = ask(stocked, "Candles", "markets")
    assert dict(zip(candles.column("time"), candles.column("close"), strict=True)) == said
    # A quote's market time is the venue's; it was received later.
    quoted = ask(stocked, "Every quote", "markets")
    assert quoted.column("time") == [datetime.fromisoformat(row["last_updated"]) for row in bitcoin(stocked)]
    assert not set(quoted.column("time")) & {page.received_at for page in stocked.pages}
    delays = ask(stocked, "How old prices were when received", "markets").column("newest in the bucket")
    assert delays == [
        pytest.approx((page.received_at - moment).total_seconds())
        for page, moment in zip(stocked.pages, quoted.column("time"), strict=True)
    ]


def test_what_a_venue_did_not_say_is_a_gap_and_not_zero(stocked: Stocked) -> None:
    answer = ask(stocked, "Market cap", "markets")
    said = dict(zip(answer.column("time"), answer.column("market cap"), strict=True))
    unsaid = [row for row in stocked.rows(stocked.unsaid) if row["id"] == "bitcoin"]
    assert [row["market_cap"] for row in unsaid] == [None]
    assert said == {
        Decimal(int(day_of(row).timestamp())): None if row["market_cap"] is None else float(row["market_cap"])
        for row in bitcoin(stocked)
    }
    (panel,) = (panel for made in dashboards() for panel in made["panels"] if panel["title"] == "Market cap")
    # For a day without any row Grafana adds one without a value.
    assert "', NULL)" in panel["targets"][0]["rawSql"]


@pytest.mark.parametrize(("title", "sign"), [("Risers", 1), ("Fallers", -1)])
def test_movers_are_those_of_a_plain_reading(stocked: Stocked, title: str, sign: int) -> None:
    first, last = (
        {row["id"]: row["current_price"] for row in stocked.rows(page) if row["current_price"] is not None}
        for page in (stocked.pages[0], stocked.pages[-1])
    )
    moved = {asset: (last[asset] / first[asset] - 1) * 100 for asset in first.keys() & last.keys()}
    most = sorted(moved, key=lambda asset: (-sign * moved[asset], asset))[:15]
    answer = ask(stocked, title, "markets")
    assert answer.column("asset") == [asset for asset in most if moved[asset] * sign > 0]
    for row in answer.rows:
        assert (Decimal(row["from"]), Decimal(row["to"])) == (first[row["asset"]], last[row["asset"]])
        assert row["change"] == pytest.approx(float(moved[row["asset"]]))


def test_an_asset_that_was_not_there_at_both_ends_is_no_mover(stocked: Stocked) -> None:
    ends = [{row["id"] for row in stocked.rows(page)} for page in (stocked.pages[0], stocked.pages[-1])]
    came_or_went = (ends[0] ^ ends[1]) | {
        row["id"] for page in stocked.pages[1:-1] for row in stocked.rows(page)
    } - (ends[0] & ends[1])
    assert came_or_went
    movers = {
        asset for title in ("Risers", "Fallers") for asset in ask(stocked, title, "markets").column("asset")
    }
    assert not movers & came_or_went


def test_the_change_goes_from_the_first_to_the_last_price(stocked: Stocked) -> None:
    prices = [row["current_price"] for row in bitcoin(stocked)]
    (change,) = ask(stocked, "Change in the shown time", "markets").column("change")
    assert change == pytest.approx(float((prices[-1] / prices[0] - 1) * 100))


def test_the_largest_are_those_of_the_last_page(stocked: Stocked) -> None:
    page = [row for row in stocked.rows(stocked.pages[-1]) if row["market_cap"] is not None]
    largest = sorted(page, key=lambda row: row["market_cap"], reverse=True)[:10]
    answer = ask(stocked, "Largest market caps", "markets")
    assert answer.column("name") == [row["name"] for row in largest]
    assert answer.column("market cap") == [float(row["market_cap"]) for row in largest]


def test_venues_are_compared_in_us_dollars(stocked: Stocked) -> None:
    answer = ask(stocked, "Side by side", "markets")
    assert set(answer.column("source")) == {"binance", "coinbase", "coingecko"}
    median = sorted(map(Decimal, answer.column("in US dollars")))[1]
    for row in answer.rows:
        distance = (Decimal(row["in US dollars"]) / median - 1) * 10_000
        assert row["from the median"] == pytest.approx(float(distance), abs=0.006)
    assert ask(stocked, "Side by side", "markets", asset="no such coin").rows == []


def test_dead_letters_lead_to_their_capture_and_the_capture_to_its_batch(stocked: Stocked) -> None:
    letters = ask(stocked, "The newest", "quality")
    assert set(letters.column("capture")) == {str(stocked.cut.id)}
    assert letters.column("dataset") == ["markets"] * len(letters.rows)
    (capture,) = ask(stocked, "The capture", "drilldown").rows
    assert capture["trace"] == stocked.traceparents[-1].split("-")[1]
    (batch,) = ask(stocked, "The batch of the trace", "drilldown", trace=capture["trace"]).rows
    assert batch["batch"] == capture["batch"] == len(stocked.traceparents)
    refused = ask(stocked, "What of the capture was refused", "drilldown")
    assert len(refused.rows) == len(letters.rows)


@pytest.mark.parametrize("typed", ["", "'", "no id", "96fe8410"])
def test_what_is_no_id_finds_nothing_and_breaks_nothing(stocked: Stocked, typed: str) -> None:
    for title in ("The capture", "What of the capture was refused"):
        assert ask(stocked, title, "drilldown", capture=typed).rows == []
    assert ask(stocked, "The batch of the trace", "drilldown", trace=typed).rows == []


def test_batches_are_those_of_the_shown_time_by_when_they_were_loaded(stocked: Stocked) -> None:
    (asked,) = (one for one in expressions("sql") if one.title == "The newest batches")
    day = Shown(stocked.pages[-2].received_at, stocked.pages[-1].received_at, chosen())
    assert Answer(stocked, asked, day).column("batch") == [len(stocked.pages) - 1]


def test_loaded_slots_are_counted_by_feed(stocked: Stocked) -> None:
    answer = ask(stocked, "Slots that are loaded", "sources")
    (markets,) = (row for row in answer.rows if (row["source"], row["dataset"]) == ("coingecko", "markets"))
    assert (markets["slots"], markets["captures"]) == (len(stocked.pages), len(stocked.pages) + 1)
    assert markets["last slot"] == stocked.pages[-1].slot
