"""A feed's health is one word, and the right one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from coinlake.state import FeedState
from coinlake_cli.health import health, held_until, trouble

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


def test_a_banned_venue_is_told_in_words_until_the_ban_has_passed() -> None:
    until = NOW + timedelta(hours=1)
    banned = replace(FRESH, held_until=until, held_for="banned (HTTP 418)", stretched_to_s=600)
    assert held_until(banned, NOW) == until
    assert trouble(banned, NOW) == "banned (HTTP 418); nothing is sent before 2024-10-15 13:00:00 UTC"
    assert held_until(banned, until) is None
    assert trouble(banned, until) == "stretched to keep the month's credits"


def test_a_feed_in_trouble_says_why_its_last_slot_failed() -> None:
    assert trouble(replace(FRESH, last_error="HTTP 500", stretched_to_s=600), NOW) == "HTTP 500"
    assert trouble(FRESH, NOW) is None
