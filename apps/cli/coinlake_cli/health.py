"""One judgement of how a feed fares, for `status`, the page and alerts alike."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from coinlake.state import FeedState

Health = Literal["fresh", "late", "failing", "waiting"]
"""fresh: the last slot came. late: none came for two spacings. failing: the last slot was given up.
waiting: nothing was tried yet."""

_SPACINGS_UNTIL_LATE = 2


def health(feed: FeedState, now: datetime) -> Health:
    """How a feed fares at a moment."""
    if feed.last_attempt_at is None:
        return "waiting"
    if feed.failures:
        return "failing"
    spacing = timedelta(seconds=max(feed.cadence_s, feed.stretched_to_s or 0))
    newest = feed.last_success_at or feed.last_attempt_at
    return "late" if now - newest > spacing * _SPACINGS_UNTIL_LATE else "fresh"


def held_until(feed: FeedState, now: datetime) -> datetime | None:
    """When the feed's source may be asked again; None where nothing holds it."""
    return feed.held_until if feed.held_until and now < feed.held_until else None


def trouble(feed: FeedState, now: datetime) -> str | None:
    """What a person should know of a feed, the gravest first; None where all is as it should be."""
    if until := held_until(feed, now):
        return f"{feed.held_for}; nothing is sent before {until:%Y-%m-%d %H:%M:%S} UTC"
    if feed.last_error is None and feed.stretched_to_s is not None:
        return "stretched to keep the month's credits"
    return feed.last_error
