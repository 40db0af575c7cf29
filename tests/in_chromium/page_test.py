"""What people can rely on when they open the local page, seen through a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from coinlake.errors import TryAgain
from coinlake.state import FeedState
from in_chromium.scene import CAPTURE, NOW, Scene, batch, candles, letter, quote, wait_until

OpenTab = Callable[..., Tab]

PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 812}}
ATTACK = "<img src=x onerror=\"document.title='owned'\">${document.title='owned'}{{ 7*7 }}`</script>"
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
    scene.feeds[:] = [FEED]
    scene.insert("candles", *candles("bitcoin", ["100", "101.5", "99"]))
    scene.commit_batch(
        quote("bitcoin", "101282.50", rank=1, price_change_pct_24h="1.11682", market_cap="2004310878204"),
        quote("pepe", "2.839e-09", rank=2, price_change_pct_24h="-5"),
        quote("nameless", None, rank=None, name=None),
    )
    scene.insert("dead_letters", letter("/7", "price_negative: price is -1"))


def rows(tab: Tab) -> list[str]:
    return tab.locator(".quotes tbody th a").all_inner_texts()


# Overview


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
    expect(tab.locator("nav .pill")).to_have_text("1")


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


# Prices


def test_prices_show_every_digit_and_no_exponent(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/prices")
    amounts = tab.locator(".quotes tbody .price .text")
    assert amounts.all_inner_texts() == ["101,282.50", "0.000000002839", "–"]
    expect(tab.locator(".quotes tbody tr").first).to_contain_text("2.004 T")


def test_a_value_the_venue_did_not_give_is_a_dash_that_says_so(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    row = open_tab("/prices").locator(".quotes tbody tr", has_text="nameless")
    for cell in ("rank", "price", "change", "cap", "volume"):
        expect(row.locator(f"td.{cell}").first).to_contain_text("–")
        expect(row.locator(f"td.{cell}").first).to_have_attribute("title", "the venue gave no value")
    expect(row).not_to_contain_text("0")


def test_prices_are_searched_and_sorted(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/prices")
    tab.get_by_role("button", name="Price").click()
    expect(tab.locator('th[aria-sort="descending"]')).to_have_text("Price↓")
    wait_until(lambda: rows(tab) == ["Bitcoin", "Pepe", "nameless"])
    tab.get_by_role("button", name="Price").click()
    wait_until(lambda: rows(tab) == ["Pepe", "Bitcoin", "nameless"])
    tab.get_by_label("Search").fill("PEP")
    wait_until(lambda: rows(tab) == ["Pepe"])
    expect(tab.locator(".toolbar .aside")).to_have_text("1 asset")
    tab.get_by_label("Search").fill("no such thing")
    expect(tab.locator(".empty:visible")).to_contain_text("Nothing found")


def test_more_prices_than_a_page_holds_are_turned(scene: Scene, open_tab: OpenTab) -> None:
    scene.commit_batch(*(quote(f"coin-{n:03}", "1", rank=n) for n in range(1, 71)))
    tab = open_tab("/prices")
    expect(tab.locator(".quotes tbody tr")).to_have_count(50)
    tab.get_by_label("2", exact=True).click()
    expect(tab.locator(".quotes tbody tr")).to_have_count(20)
    assert rows(tab)[0] == "Coin-051"


def test_a_synthetic_quote_is_marked_wherever_it_shows(scene: Scene, open_tab: OpenTab) -> None:
    scene.feeds[:] = [FEED]
    scene.insert("candles", *candles("fake", ["1", "2"], synthetic=True))
    scene.commit_batch(quote("fake", "1", synthetic=True))
    for path in ("/", "/prices", "/coin/coingecko/fake"):
        tab = open_tab(path)
        expect(tab.locator(".badge:visible", has_text="synthetic").first).to_be_visible()
    expect(tab.locator(".candles tbody .badge")).to_have_count(2)
    expect(open_tab("/").locator(".feed")).to_contain_text("(synthetic)")


def test_a_sparkline_draws_the_closes_and_says_them(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    spark = open_tab("/prices").locator(".quotes tbody svg")
    expect(spark).to_have_count(1)
    expect(spark).to_have_attribute("aria-label", "3 closes from 100 to 99")


# One asset


def test_a_row_leads_to_the_coins_candles(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/prices")
    tab.locator(".quotes tbody tr").first.click()
    expect(tab.locator("h1")).to_have_text("Bitcoin")
    expect(tab).to_have_title("Bitcoin · Coinlake")
    expect(tab.locator(".nicegui-echart svg path").first).to_be_attached()
    expect(tab.locator('.switches [aria-current="true"]')).to_have_text("1d")
    closes = tab.locator(".candles tbody td:nth-child(5)")
    assert closes.all_inner_texts() == ["99", "101.5", "100"]
    expect(tab.locator(".quote .amount")).to_have_text("101,282.50")


def test_a_coins_interval_and_currency_stand_in_its_address(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    scene.commit_batch(quote("bitcoin", "25.9", quote_currency="eth", rank=1))
    tab = open_tab("/coin/coingecko/bitcoin?currency=eth&interval=1h")
    expect(tab.locator(".quote .amount")).to_have_text("25.9")
    expect(tab.locator("#main")).to_contain_text("No candles of 1h yet")
    tab.get_by_role("link", name="USD").click()
    expect(tab.locator(".quote .amount")).to_have_text("101,282.50")
    tab.get_by_role("link", name="1d").click()
    expect(tab.locator(".candles tbody tr")).to_have_count(3)
    assert tab.url.endswith("/coin/coingecko/bitcoin?currency=usd&interval=1d")


@pytest.mark.parametrize("asset", ["_", "a/b", "a?b#c%2F", "名前", "<b>"])
def test_any_id_has_an_address(scene: Scene, open_tab: OpenTab, asset: str) -> None:
    scene.commit_batch(quote(asset, "12.5", name="Odd"))
    tab = open_tab("/prices")
    tab.get_by_role("link", name="Odd").click()
    expect(tab.locator("h1")).to_have_text("Odd")
    expect(tab.locator(".quote .amount")).to_have_text("12.5")


def test_an_unknown_coin_says_so(scene: Scene, open_tab: OpenTab) -> None:
    expect(open_tab("/coin/coingecko/nothing").locator(".empty:visible")).to_contain_text("No such asset")


def test_a_coin_follows_new_rows_by_itself(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/coin/coingecko/bitcoin")
    expect(tab.locator(".quote .amount")).to_have_text("101,282.50")
    scene.run("UPDATE candles SET close = 123.25, high = 123.25 WHERE open_time = '2024-12-14Z'")
    scene.commit_batch(quote("bitcoin", "123.25"))
    expect(tab.locator(".quote .amount")).to_have_text("123.25")
    expect(tab.locator(".candles tbody tr").first).to_contain_text("123.25")


# Dead letters and batches


def test_dead_letters_are_counted_by_rule_and_filtered(scene: Scene, open_tab: OpenTab) -> None:
    scene.insert(
        "dead_letters",
        letter("/1", "price_negative: -1", "rank_odd: x"),
        letter("/2", "price_negative: -2"),
        letter("/3", "price_negative: -3", resolved_at=NOW),
    )
    tab = open_tab("/dead-letters")
    assert [text.split() for text in tab.locator(".rules li").all_inner_texts()] == [
        ["price_negative", "coingecko", "2"],
        ["rank_odd", "coingecko", "1"],
    ]
    expect(tab.locator(".letters tbody tr")).to_have_count(2)
    tab.get_by_role("link", name="rank_odd").click()
    expect(tab.locator(".letters tbody tr")).to_have_count(1)
    expect(tab.locator("h2", has_text="1 open of rank_odd")).to_be_visible()


def test_dead_letters_are_replayed_one_selected_or_all_and_the_outcome_told(
    scene: Scene, open_tab: OpenTab
) -> None:
    scene.insert("dead_letters", *(letter(f"/{n}", f"price_negative: {n}") for n in range(3)))
    tab = open_tab("/dead-letters")
    tab.get_by_role("button", name="Replay: price_negative: 1").click()
    expect(tab.locator(".outcome")).to_have_text("1 accepted.")
    assert scene.replayed == [(CAPTURE, "/1")]
    expect(tab.get_by_role("button", name="Replay selected")).to_be_disabled()
    for n in (0, 2):
        tab.get_by_role("checkbox", name=f"price_negative: {n}").click()
    tab.get_by_role("button", name="Replay 2 selected").click()
    expect(tab.locator(".outcome")).to_have_text("2 accepted.")
    assert scene.replayed[1:] == [(CAPTURE, "/0"), (CAPTURE, "/2")]
    tab.get_by_role("button", name="Replay all").click()
    expect(tab.locator(".outcome")).to_have_text("3 accepted.")
    assert len(scene.replayed) == 6


def test_a_replay_that_accepts_takes_the_letter_off_the_list(scene: Scene, open_tab: OpenTab) -> None:
    scene.insert("dead_letters", letter("/1", "price_negative: -1"))

    def accept(_: object) -> str:
        scene.run("UPDATE dead_letters SET resolved_at = now()")
        scene.insert("batches", batch(1, kind="replay"))
        return "1 tried again: 1 accepted."

    scene.on_replay = accept
    tab = open_tab("/dead-letters")
    tab.get_by_role("button", name="Replay all").click()
    expect(tab.locator(".empty:visible")).to_contain_text("No dead letters")
    expect(tab.locator(".outcome")).to_have_text("1 tried again: 1 accepted.")
    expect(tab.locator("nav .pill")).to_be_hidden()


def test_a_replay_that_cannot_be_done_says_why(scene: Scene, open_tab: OpenTab) -> None:
    scene.insert("dead_letters", letter("/1", "price_negative: -1"))

    def fail(_: object) -> str:
        raise TryAgain("The lake is locked by another program.")

    scene.on_replay = fail
    tab = open_tab("/dead-letters")
    tab.get_by_role("button", name="Replay all").click()
    expect(tab.locator(".outcome")).to_have_text("Not replayed: The lake is locked by another program.")
    expect(tab.get_by_role("button", name="Replay all")).to_be_enabled()


def test_original_bytes_show_as_text_or_as_hex(scene: Scene, open_tab: OpenTab) -> None:
    text = '{"name":"a\u200bb\u202ec"}\n'.encode()
    scene.insert(
        "dead_letters",
        letter("/1", "name_odd: x", original=text),
        letter("/2", "body_not_text: x", original=b"\xff\xfe\x00AB", resolved_at=NOW),
        letter("", "body_large: x", original=b"x" * 70_000),
    )
    tab = open_tab(f"/dead-letters/{CAPTURE}?path=/1")
    expect(tab.locator("pre")).to_have_text('{"name":"a⟨U+200B⟩b⟨U+202E⟩c"}\n')
    tab = open_tab(f"/dead-letters/{CAPTURE}?path=/2")
    expect(tab.locator("pre")).to_contain_text("ff fe 00 41 42")
    expect(tab.locator("h2").first).to_have_text("Accepted by a replay")
    tab = open_tab(f"/dead-letters/{CAPTURE}")
    expect(tab.locator("#main")).to_contain_text("70,000 bytes")
    expect(tab.locator("#main")).to_contain_text("the first 65,536 are shown")


def test_batches_show_lag_and_trace(scene: Scene, open_tab: OpenTab) -> None:
    scene.insert("batches", batch(100), batch(3, kind="replay", rejects=2))
    tab = open_tab("/batches")
    newest = tab.locator(".batches tbody tr").first
    expect(newest).to_contain_text("replay")
    expect(newest).to_contain_text("2.5 s")
    expect(newest).to_contain_text("0af7651916cd43dd8448eb211c80319c")


# Safety


def test_what_comes_from_outside_shows_as_text(scene: Scene, open_tab: OpenTab) -> None:
    scene.feeds[:] = [replace(FEED, failures=1, last_error=ATTACK)]
    scene.commit_batch(quote("evil", "1", name=ATTACK, symbol=ATTACK))
    scene.insert("dead_letters", letter(ATTACK, f"{ATTACK}: {ATTACK}", original=ATTACK.encode()))
    for path in ("/", "/prices", "/coin/coingecko/evil", "/dead-letters"):
        tab = open_tab(path)
        expect(tab.locator("#main")).to_contain_text(ATTACK)
        assert tab.title() != "owned"
        assert tab.locator("#main img").count() == 0
    tab.locator(".letters tbody a").click()
    expect(tab.locator("pre")).to_have_text(ATTACK)
    assert tab.locator("#main img").count() == 0


def test_a_name_of_invisible_characters_shows_as_the_id_and_is_marked(
    scene: Scene, open_tab: OpenTab
) -> None:
    scene.commit_batch(
        quote("ghost", "1", rank=1, name="\u200b\u2060 "),
        quote("turned", "2", rank=2, name="Good\u202eniocdaB"),
    )
    tab = open_tab("/prices")
    assert rows(tab) == ["ghost", "GoodniocdaB"]
    expect(tab.locator(".quotes .badge", has_text="hidden characters")).to_have_count(2)


# Reach


@pytest.mark.parametrize("path", ["/", "/prices", "/coin/coingecko/bitcoin", "/dead-letters", "/batches"])
def test_a_phone_needs_no_sideways_scrolling(scene: Scene, open_tab: OpenTab, path: str) -> None:
    fill(scene)
    scene.commit_batch(
        quote("long", "0.000000000000000028391234", name="A very long name of a coin " * 3, rank=3)
    )
    scene.insert("dead_letters", letter("/8", "reason_long: " + "x" * 300, original=b"y" * 900))
    tab = open_tab(path, **PHONE)
    tab.locator("#main .panel").first.wait_for()
    assert tab.evaluate("document.scrollingElement.scrollWidth") == 375
    for table in tab.locator(".rows:visible").all():
        assert table.evaluate("e => e.scrollWidth - e.clientWidth") == 0


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_theme_follows_the_system_until_one_is_chosen(
    scene: Scene, open_tab: OpenTab, scheme: str, dark: bool
) -> None:
    tab = open_tab("/", color_scheme=scheme)

    def is_dark() -> bool:
        return bool(tab.evaluate("document.body.classList.contains('body--dark')"))

    wait_until(lambda: is_dark() == dark)
    tab.get_by_role("button", name="Switch between light and dark").click()
    wait_until(lambda: is_dark() != dark)
    tab.reload()
    tab.locator("#main h1").wait_for()
    wait_until(lambda: is_dark() != dark)


def test_the_page_can_be_used_by_keyboard_alone(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/")
    focused = "document.activeElement.innerText.trim() || document.activeElement.getAttribute('aria-label')"
    tab.keyboard.press("Tab")
    assert tab.evaluate(focused) == "Skip to content"
    assert tab.locator(".skip").bounding_box()["y"] >= 0  # type: ignore[index]
    order = []
    for _ in range(7):
        tab.keyboard.press("Tab")
        order.append(tab.evaluate(focused).split("\n")[0])
    assert order[0] == "Coinlake"
    assert order[1:6] == ["Overview", "Prices", "Venues", "Dead letters", "Batches"]
    assert order[6] == "contrast"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.evaluate(outline) == "solid"
    tab.locator(".quotes tbody a").first.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("Bitcoin")


def test_the_skip_link_leads_past_the_navigation(scene: Scene, open_tab: OpenTab) -> None:
    tab = open_tab("/")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_the_focus_stays_where_it_is_when_figures_change(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/prices")
    tab.locator(".quotes tbody a", has_text="Pepe").focus()
    scene.commit_batch(quote("pepe", "3e-9", rank=2))
    expect(tab.locator(".quotes tbody")).to_contain_text("0.000000003")
    assert tab.evaluate("document.activeElement.innerText") == "Pepe"


@pytest.mark.parametrize("path", ["/", "/prices", "/coin/coingecko/bitcoin", "/dead-letters", "/batches"])
def test_everything_that_can_be_pressed_has_a_name(scene: Scene, open_tab: OpenTab, path: str) -> None:
    fill(scene)
    tab = open_tab(path)
    tab.locator("#main .panel").first.wait_for()
    nameless = tab.evaluate(
        """() => [...document.querySelectorAll('a, button, input, [role=checkbox], [role=button]')]
            .filter(e => e.offsetParent && !(e.innerText.trim() || e.getAttribute('aria-label') || e.title))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []
    assert tab.locator("h1").count() == tab.locator("#main").count() == 1
    assert tab.evaluate("document.documentElement.lang") == "en-US"
    bare = "() => [...document.querySelectorAll('thead th')].filter(e => e.scope !== 'col').length"
    assert tab.evaluate(bare) == 0
