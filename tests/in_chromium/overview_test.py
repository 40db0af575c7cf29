"""The overview, seen through a real Chromium: what runs, what is wrong, what is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from coinlake.state import FeedState
from in_chromium.scene import NOW, Scene, quote
from in_chromium.stocked import FEED, OpenTab, fill, rows


def test_an_empty_warehouse_says_what_to_do_next(open_tab: OpenTab) -> None:
    tab = open_tab("/")
    expect(tab.locator("#main")).to_contain_text("coinlake demo needs no key")
    expect(tab.locator("#main")).to_contain_text("as soon as a feed has fetched its first slot")
    empty = {"/prices": "No quotes yet", "/dead-letters": "No dead letters", "/batches": "No batch yet"}
    for path, said in empty.items():
        tab = open_tab(path)
        expect(tab.locator("#main .empty:visible")).to_contain_text(said)


@pytest.mark.parametrize(
    ("feed", "word"),
    [
        (FEED, "Fresh"),
        (replace(FEED, last_success_at=NOW - timedelta(minutes=20)), "Late"),
        (replace(FEED, failures=3, last_error="Answered 503 <b>again</b>"), "Failing"),
        (replace(FEED, stretched_to_s=600), "Stretched"),
        (FeedState("coingecko", "markets", 180), "Waiting"),
    ],
)
def test_a_feeds_state_is_a_word_and_an_icon_besides_a_colour(
    scene: Scene, open_tab: OpenTab, feed: FeedState, word: str
) -> None:
    scene.feeds[:] = [feed]
    card = open_tab("/").locator("article.feed")
    expect(card.locator(".state")).to_contain_text(word)
    expect(card.locator(".state .q-icon")).to_be_visible()
    if feed.last_error:
        expect(card.locator(".error")).to_have_text(feed.last_error)


def test_the_overview_shows_feeds_totals_and_newest_prices(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    scene.banner = "Demo: recorded answers from 2024, replayed"
    tab = open_tab("/")
    expect(tab.locator(".banner")).to_have_text(scene.banner)
    expect(tab.locator(".feed")).to_contain_text("Last slot2 min ago")
    expect(tab.locator(".feed")).to_contain_text("Next slotin 1 min")
    expect(tab.locator(".stock")).to_contain_text("Quotes written3")
    expect(tab.locator(".stock")).to_contain_text("Lag of the last batch2.5 s")
    assert rows(tab) == ["Bitcoin", "Pepe", "nameless"]
    expect(tab.locator("nav .pill:not(.wrong)")).to_have_text("1")


def test_an_open_page_follows_new_rows_by_itself(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/")
    expect(tab.locator(".quotes tbody")).to_contain_text("101,282.50")
    scene.commit_batch(quote("bitcoin", "99000.1", rank=1), quote("ether", "3914.75", rank=2))
    scene.feeds[:] = [replace(FEED, failures=1, last_error="Answered 503")]
    expect(tab.locator(".quotes tbody")).to_contain_text("99,000.1")
    expect(tab.locator(".quotes tbody")).to_contain_text("Ether")
    expect(tab.locator(".state")).to_contain_text("Failing")
    expect(tab.locator(".stock")).to_contain_text("Quotes written5")


def test_a_warehouse_that_goes_away_is_told_and_its_return_noticed(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/")
    scene.run("ALTER TABLE batches RENAME TO away")
    expect(tab.locator(".trouble")).to_contain_text("This page tries again by itself")
    expect(tab.locator(".state")).to_contain_text("Fresh")
    scene.run("ALTER TABLE away RENAME TO batches")
    expect(tab.locator(".trouble")).to_be_hidden()


def test_all_open_tabs_follow_together(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tabs = [open_tab("/prices") for _ in range(5)]
    scene.commit_batch(quote("bitcoin", "7", rank=1))
    for tab in tabs:
        expect(tab.locator(".quotes tbody tr").first).to_contain_text("7")
    expect(tabs[0].locator(".quotes tbody tr").first).to_contain_text("Bitcoin")


def test_a_venue_that_banned_us_says_until_when_nothing_is_sent(scene: Scene, open_tab: OpenTab) -> None:
    until = NOW + timedelta(hours=2)
    scene.feeds[:] = [
        replace(FEED, failures=3, last_error="418", held_until=until, held_for="banned (HTTP 418)")
    ]
    card = open_tab("/").locator("article.feed")
    expect(card.locator(".state")).to_contain_text("Held")
    expect(card.locator(".error")).to_have_text(
        "banned (HTTP 418); nothing is sent before 2024-12-14 14:00:00 UTC"
    )
    scene.now = until
    expect(card.locator(".state")).to_contain_text("Failing")
    expect(card.locator(".error")).to_have_text("418")
