"""A stocked scene: a fresh feed, a few coins and a dead letter, and what tests read of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Page as Tab

from coinlake.state import FeedState
from in_chromium.scene import NOW, Scene, candles, letter, quote

OpenTab = Callable[..., Tab]
"""Opens a path of the page in a new tab."""

FEED = FeedState(
    "coingecko",
    "markets",
    180,
    last_slot=NOW - timedelta(minutes=2),
    last_attempt_at=NOW - timedelta(minutes=2),
    last_success_at=NOW - timedelta(minutes=2),
    next_slot_at=NOW + timedelta(minutes=1),
)


def fill(scene: Scene) -> None:
    """Stocks an empty scene."""
    scene.feeds[:] = [FEED]
    scene.insert("candles", *candles("bitcoin", ["100", "101.5", "99"]))
    scene.commit_batch(
        quote("bitcoin", "101282.50", rank=1, price_change_pct_24h="1.11682", market_cap="2004310878204"),
        quote("pepe", "2.839e-09", rank=2, price_change_pct_24h="-5"),
        quote("nameless", None, rank=None, name=None),
    )
    scene.insert("dead_letters", letter("/7", "price_negative: price is -1"))


def rows(tab: Tab) -> list[str]:
    """The names in the table of prices, from the top."""
    return tab.locator(".quotes tbody th a").all_inner_texts()
