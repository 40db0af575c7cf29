"""Whether `coinlake run` asks its venues in time: what the container's HEALTHCHECK runs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from coinlake.clock import SystemClock
from coinlake.progress import report
from coinlake.settings import load
from coinlake.state import FeedState, State
from coinlake_cli.health import held_until

_SPACINGS = 2
_PATIENCE = timedelta(minutes=2)
"""Over two spacings: an answer's longest time, and all its tries."""


def trouble(config: Path | None = None) -> str | None:
    """None where each feed was tried within two spacings, or is held; else which one stands still.

    A venue that refuses is no trouble of this kind: it was asked.
    """
    now, folder = SystemClock().now(), load(config).folder
    if not (folder / "state.db").exists():  # to open it would be to begin it
        return f"No program has begun in {folder} yet."
    with State(folder) as state:
        feeds = state.feeds()
    if not feeds:
        return "No feed was ever tried."
    still = [f"{feed.source}/{feed.dataset}" for feed in feeds if _stands_still(feed, now)]
    return f"Not tried in time: {', '.join(still)}." if still else None


def _stands_still(feed: FeedState, now: datetime) -> bool:
    if held_until(feed, now):
        return False
    spacing = timedelta(seconds=max(feed.cadence_s, feed.stretched_to_s or 0))
    return feed.last_attempt_at is None or now - feed.last_attempt_at > spacing * _SPACINGS + _PATIENCE


if __name__ == "__main__":
    report(trouble)
