"""A feed's health is one word, and the right one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coinlake.state import FeedState
from coinlake_cli.health import health

NOW = datetime(2024, 10, 15, 12, tzinfo=UTC)
FRESH = FeedState(
    "coingecko",
    "markets",
    cadence_s=180,
    last_attempt_at=NOW - timedelta(seconds=170),
    last_success_at=NOW - timedelta(seconds=169),
)


def test_a_feed_whose_last_slot_came_is_fresh() -> None:
    assert health(FRESH, NOW) == "fresh"


def test_a_feed_that_was_never_tried_is_waiting() -> None:
    assert health(FeedState("coingecko", "markets", cadence_s=180), NOW) == "waiting"


def test_a_feed_whose_last_slot_was_given_up_is_failing_however_young() -> None:
    assert health(replace(FRESH, failures=1), NOW) == "failing"


def test_a_feed_is_late_when_two_spacings_passed_without_an_answer() -> None:
    assert health(FRESH, NOW + timedelta(seconds=192)) == "late"
    assert health(FRESH, NOW + timedelta(seconds=190)) == "fresh"


def test_a_stretched_feed_is_measured_by_its_wider_spacing() -> None:
    assert health(replace(FRESH, stretched_to_s=600), NOW + timedelta(seconds=700)) == "fresh"
