"""Each rule: when it finds something, when it does not, and what it makes of what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from coinlake.state import FeedState
from coinlake_cli.alerts.rules import RULES, Seen, open_still
from coinlake_cli.lag import Hop
from coinlake_warehouse.alarming import Change

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = FeedState("venue", "markets", 180, last_success_at=NOW - timedelta(minutes=2))
WELL = Seen(
    NOW,
    NOW - DAY,
    feeds=[FEED],
    newest_row_at=NOW - timedelta(minutes=2),
    changes=[Change("venue", "usd", NOW - timedelta(minutes=2), Decimal("-0.09"))],
    hops=[Hop("lake to warehouse", 0, timedelta(0))],
)


def found(seen: Seen) -> set[str]:
    return {
        f"{rule.name} {one.subject}".strip()
        for rule in RULES
        if rule.can_tell(seen)
        for one in rule.look(seen)
    }


def change(ratio: str, age: timedelta = timedelta(minutes=1)) -> Change:
    return Change("venue", "usd", NOW - age, Decimal(ratio))


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert found(WELL) == set()


@pytest.mark.parametrize(
    ("changed", "is_found"),
    [
        ({"newest_row_at": NOW - timedelta(minutes=10)}, False),
        ({"newest_row_at": NOW - timedelta(minutes=10, seconds=1)}, True),
        ({"newest_row_at": None}, True),
        ({"newest_row_at": None, "since": NOW - timedelta(minutes=9)}, False),
        ({"newest_row_at": NOW - DAY, "since": NOW - timedelta(minutes=9)}, False),
        ({"newest_row_at": NOW - DAY, "feeds": []}, False),
        ({"newest_row_at": NOW - DAY, "feeds": [replace(FEED, cadence_s=301)]}, False),
        ({"newest_row_at": NOW - DAY, "feeds": [replace(FEED, stretched_to_s=600)]}, False),
        ({"newest_row_at": NOW - DAY, "feeds": [replace(FEED, held_until=NOW + DAY)]}, False),
        ({"newest_row_at": NOW - DAY, "feeds": [replace(FEED, held_until=NOW + DAY), FEED]}, True),
    ],
)
def test_a_pipeline_stalls_when_rows_should_come_and_none_does(
    changed: dict[str, object], is_found: bool
) -> None:
    assert ("PipelineStalled" in found(replace(WELL, **changed))) == is_found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age_s", "spacing_s", "since", "is_found"),
    [(600, 180, DAY, False), (601, 180, DAY, True), (601, 600, DAY, False), (601, 180, DAY / 300, False)],
)
def test_a_feed_is_stale_after_three_slots_without_a_whole_one(
    age_s: float, spacing_s: float, since: timedelta, is_found: bool
) -> None:
    feed = replace(FEED, last_success_at=NOW - timedelta(seconds=age_s), stretched_to_s=spacing_s)
    seen = replace(WELL, feeds=[FEED, feed], since=NOW - since)
    assert ("FeedStale venue/markets" in found(seen)) == is_found


def test_a_feed_that_never_delivered_is_another_matter_than_a_stale_one() -> None:
    seen = replace(WELL, feeds=[FEED, FeedState("new", "one", 60)])
    assert found(seen) == {"FeedNeverDelivered new/one"}


@pytest.mark.parametrize(
    ("behind", "names"),
    [
        (timedelta(minutes=5), set()),
        (timedelta(minutes=6), {"IngestionLagging lake to warehouse"}),
        (None, set()),
    ],
)
def test_loading_lags_when_captures_wait_for_long(behind: timedelta | None, names: set[str]) -> None:
    assert found(replace(WELL, hops=[Hop("lake to warehouse", 7, behind)])) == names


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ([change("-0.0999")], False),
        ([change("-0.10")], True),
        ([change("-0.5", timedelta(minutes=15))], False),
        ([change("-0.5", timedelta(minutes=14))], True),
        ([change("-0.5"), change("0.01"), change("0.02")], False),
        ([change("-0.11"), change("-0.12"), change("0.3")], True),
        ([change("-0.11"), change("-0.30", DAY), change("0.1", DAY)], True),
        ([change("0.2")], False),
        ([], False),
        (None, False),
    ],
)
def test_bitcoin_is_down_by_market_time_and_by_fresh_prices_alone(
    changes: list[Change] | None, is_found: bool
) -> None:
    assert ("BitcoinDown bitcoin" in found(replace(WELL, changes=changes))) == is_found


def test_a_restart_alone_makes_nothing_right() -> None:
    since = NOW - timedelta(seconds=1)
    ill = replace(
        WELL,
        since=since,
        newest_row_at=NOW - DAY,
        feeds=[replace(FEED, last_success_at=NOW - DAY)],
    )
    assert found(ill) == set()
    still = {rule.name: open_still(rule, ill) for rule in RULES}
    assert still["PipelineStalled"] == {""}
    assert still["FeedStale"] == {"venue/markets"}
    assert still["FeedNeverDelivered"] == set()
