from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from coinlake.state import FeedState
from coinlake_cli.page.feeds import condition

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)
MINUTE = NOON - timedelta(minutes=1)
FEED = FeedState("coingecko", "markets", 180, last_attempt_at=MINUTE, last_success_at=MINUTE)
BANNED = replace(FEED, held_until=NOON + timedelta(hours=1, minutes=30), held_for="banned (HTTP 418)")


@pytest.mark.parametrize(
    ("feed", "word", "says"),
    [
        (FEED, "Fresh", "every 3 min"),
        (FeedState("coingecko", "markets", 180), "Waiting", "Nothing was tried"),
        (replace(FEED, last_success_at=NOON - timedelta(minutes=8)), "Late", "last success 8 min ago"),
        (replace(FEED, failures=1, last_error="503"), "Failing", "1 slot failed"),
        (replace(BANNED, failures=9, last_error="418"), "Held", "asked again in 1 h"),
        (replace(BANNED, held_until=MINUTE, failures=9), "Failing", "9 slots failed"),
        (replace(FEED, stretched_to_s=600.0), "Stretched", "Every 10 min instead of 3 min"),
        (replace(FEED, stretched_to_s=3600.0, last_success_at=NOON - timedelta(hours=2)), "Stretched", "1 h"),
    ],
)
def test_a_feeds_condition_is_one_word_and_why(feed: FeedState, word: str, says: str) -> None:
    found = condition(feed, NOON)
    assert found.word == word
    assert says in found.says


def test_a_feeds_trouble_is_the_one_that_status_tells() -> None:
    until = "2024-12-14 13:30:00"
    assert condition(BANNED, NOON).trouble == f"banned (HTTP 418); nothing is sent before {until} UTC"
    assert condition(replace(FEED, last_error="503"), NOON).trouble == "503"
    assert condition(replace(FEED, stretched_to_s=600.0), NOON).trouble is None
