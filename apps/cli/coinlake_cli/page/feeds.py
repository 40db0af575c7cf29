"""Is a feed alive and fresh? One word for it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from coinlake.state import FeedState
from coinlake_cli.page.wording import ago, several, span

Word = Literal["Fresh", "Stretched", "Late", "Failing", "Starting"]

ICONS: dict[Word, str] = {
    "Fresh": "check_circle",
    "Stretched": "hourglass_bottom",
    "Late": "schedule",
    "Failing": "error",
    "Starting": "pending",
}

_LATE_AFTER_SLOTS = 2.5
"""Slots without a success after which a feed is late: one may fail, and one be under way."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A feed's state in one word and one sentence."""

    word: Word
    says: str


def condition(feed: FeedState, now: datetime) -> Condition:
    """What to think of a feed at `now`."""
    spacing = timedelta(seconds=feed.stretched_to_s or feed.cadence_s)
    last = f"last success {ago(feed.last_success_at, now)}"
    if feed.failures:
        return Condition("Failing", f"{several(feed.failures, 'slot')} failed in a row; {last}.")
    if feed.last_success_at is None:
        return Condition("Starting", "Nothing has arrived yet.")
    if now - feed.last_success_at > spacing * _LATE_AFTER_SLOTS:
        return Condition("Late", f"Expected every {span(spacing)}; {last}.")
    if feed.stretched_to_s:
        cadence = span(timedelta(seconds=feed.cadence_s))
        said = f"Every {span(spacing)} instead of {cadence}, to keep the month's credits."
        return Condition("Stretched", said)
    return Condition("Fresh", f"Arriving every {span(spacing)}.")
