"""Venues compared on the page, seen through a real Chromium."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from in_chromium.scene import Scene, candles

OpenTab = Callable[..., Tab]


def fill(scene: Scene) -> None:
    """Bitcoin at three venues: in dollars, and at Binance in USDT, of which one is worth 0.999 dollars."""
    scene.insert("assets", {"asset": "bitcoin", "name": "Bitcoin", "currency": None})
    scene.insert("assets", {"asset": "tether", "name": "Tether", "currency": "usdt"})
    always = {"since": "-infinity", "until": "infinity"}
    for source, name, asset in (
        ("coingecko", "bitcoin", "bitcoin"),
        ("binance", "BTC", "bitcoin"),
        ("coinbase", "BTC", "bitcoin"),
        ("coingecko", "tether", "tether"),
    ):
        scene.insert("asset_names", {"source": source, "venue_asset": name, "asset": asset, **always})
    scene.insert("candles", *candles("bitcoin", ["100", "101"]), *candles("tether", ["1", "0.999"]))
    scene.insert("candles", *candles("BTC", ["100", "102"], source="binance", quote_currency="usdt"))
    scene.insert("candles", *candles("BTC", ["100", "101"], source="coinbase", synthetic=True))
    scene.commit_batch()


def test_the_widest_gap_names_its_lowest_and_highest_venue(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    tab = open_tab("/venues")
    row = tab.locator(".gaps tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Bitcoin")
    expect(row).to_contain_text("+88.9 bp")
    expect(row).to_contain_text("binance USDT +88.9 bp")
    expect(row).to_contain_text("synthetic")
    row.locator("a").click()
    expect(tab.locator("h1")).to_have_text("Bitcoin")


def test_all_venues_of_an_asset_stand_in_one_chart_with_what_the_conversion_hides(
    scene: Scene, open_tab: OpenTab
) -> None:
    fill(scene)
    tab = open_tab("/venues/bitcoin")
    expect(tab.locator(".nicegui-echart svg path").first).to_be_attached()
    lines = tab.locator(".nicegui-echart svg text")
    for name in ("binance BTC/USDT", "coinbase BTC/USD", "coingecko bitcoin/USD"):
        expect(lines.filter(has_text=name)).to_have_count(1)
    row = tab.locator(".legs tbody tr", has_text="binance")
    expect(row).to_contain_text("102 USDT")
    expect(row).to_contain_text("0.999")
    expect(row).to_contain_text("101.898")
    expect(row).to_contain_text("+99.0 bp")


def test_what_cannot_be_compared_says_why(open_tab: OpenTab) -> None:
    expect(open_tab("/venues").locator("#main .empty:visible")).to_contain_text("Nothing to compare yet")
    expect(open_tab("/venues/nothing").locator("#main .empty:visible")).to_contain_text("No venue to compare")
