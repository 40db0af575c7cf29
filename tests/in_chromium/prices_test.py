"""The prices and one asset, seen through a real Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from in_chromium.scene import Scene, candles, quote, wait_until
from in_chromium.stocked import FEED, OpenTab, fill, rows


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
