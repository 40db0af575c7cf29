"""Everybody can use the page: on a phone, in the dark, by keyboard, with a screen reader."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from coinlake_cli.lag import Hop
from coinlake_cli.page.desk import Allowance
from in_chromium.health_test import OVER, STALLED
from in_chromium.scene import Scene, letter, quote, wait_until
from in_chromium.stocked import OpenTab, fill

VIEWS = ("/", "/prices", "/coin/coingecko/bitcoin", "/dead-letters", "/batches", "/health")
PHONE: dict[str, Any] = {"viewport": {"width": 375, "height": 812}}


@pytest.mark.parametrize(
    "path", ["/", "/prices", "/coin/coingecko/bitcoin", "/dead-letters", "/batches", "/health"]
)
def test_a_phone_needs_no_sideways_scrolling(scene: Scene, open_tab: OpenTab, path: str) -> None:
    fill(scene)
    scene.commit_batch(
        quote("long", "0.000000000000000028391234", name="A very long name of a coin " * 3, rank=3)
    )
    scene.insert("dead_letters", letter("/8", "reason_long: " + "x" * 300, original=b"y" * 900))
    scene.alerts = [STALLED, OVER]
    scene.hops = [Hop("topic to warehouse", 1_234_567, timedelta(days=1), trouble="It is away. " * 9)]
    scene.allowances = [Allowance("coingecko", "month", 10_000_000, 9_999_999)]
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
    for _ in range(8):
        tab.keyboard.press("Tab")
        order.append(tab.evaluate(focused).split("\n")[0])
    assert order[0] == "Coinlake"
    assert order[1:7] == ["Overview", "Prices", "Venues", "Dead letters", "Batches", "Health"]
    assert order[7] == "contrast"
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


@pytest.mark.parametrize(
    "path", ["/", "/prices", "/coin/coingecko/bitcoin", "/dead-letters", "/batches", "/health"]
)
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
