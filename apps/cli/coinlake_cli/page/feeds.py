"""How the page tells of a feed: one word, an icon, and a sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from coinlake.state import FeedState
from coinlake_cli.health import health
from coinlake_cli.page.wording import ago, several, span

Word = Literal["Fresh", "Stretched", "Late", "Failing", "Waiting"]

ICONS: dict[Word, str] = {
    "Fresh": "check_circle",
    "Stretched": "hourglass_bottom",
    "Late": "schedule",
    "Failing": "error",
    "Waiting": "pending",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A feed's state in one word and one sentence."""

    word: Word
    says: str


def condition(feed: FeedState, now: datetime) -> Condition:
    """What to think of a feed at `now`; one that is fresh on a wider spacing is told apart."""
    spacing = span(timedelta(seconds=feed.stretched_to_s or feed.cadence_s))
    last = f"last success {ago(feed.last_success_at, now)}"
    match health(feed, now):
        case "waiting":
            return Condition("Waiting", "Nothing was tried yet.")
        case "failing":
            return Condition("Failing", f"{several(feed.failures, 'slot')} failed in a row; {last}.")
        case "late":
            return Condition("Late", f"Expected every {spacing}; {last}.")
    if feed.stretched_to_s:
        cadence = span(timedelta(seconds=feed.cadence_s))
        return Condition("Stretched", f"Every {spacing} instead of {cadence}, to keep the month's credits.")
    return Condition("Fresh", f"Arriving every {spacing}.")
