"""How the page tells of a feed: one word, an icon, and a sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from coinlake.state import FeedState
from coinlake_cli.health import health, held_until, trouble
from coinlake_cli.page.wording import ago, several, span

Word = Literal["Fresh", "Stretched", "Late", "Failing", "Held", "Waiting"]

ICONS: dict[Word, str] = {
    "Fresh": "check_circle",
    "Stretched": "hourglass_bottom",
    "Late": "schedule",
    "Failing": "error",
    "Held": "block",
    "Waiting": "pending",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A feed's state in one word and one sentence, and the trouble it is in, if any."""

    word: Word
    says: str
    trouble: str | None


def condition(feed: FeedState, now: datetime) -> Condition:
    """What to think of a feed at `now`, by the judgement that `coinlake status` uses.

    One whose venue may not be asked is told apart from one that fails, one on a wider spacing from a fresh.
    """
    is_wrong = feed.last_error is not None or held_until(feed, now) is not None
    return Condition(*_told(feed, now), trouble(feed, now) if is_wrong else None)


def _told(feed: FeedState, now: datetime) -> tuple[Word, str]:
    spacing = span(timedelta(seconds=feed.stretched_to_s or feed.cadence_s))
    last = f"last success {ago(feed.last_success_at, now)}"
    if until := held_until(feed, now):
        return "Held", f"The venue is asked again {ago(until, now)}; {last}."
    match health(feed, now):
        case "waiting":
            return "Waiting", "Nothing was tried yet."
        case "failing":
            return "Failing", f"{several(feed.failures, 'slot')} failed in a row; {last}."
        case "late":
            return "Late", f"Expected every {spacing}; {last}."
    if feed.stretched_to_s:
        cadence = span(timedelta(seconds=feed.cadence_s))
        return "Stretched", f"Every {spacing} instead of {cadence}, to keep the month's credits."
    return "Fresh", f"Arriving every {spacing}."
