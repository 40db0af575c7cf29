"""What comes from outside does no harm on the page, seen through a real Chromium."""

from __future__ import annotations

from dataclasses import replace

from playwright.sync_api import expect

from in_chromium.scene import Scene, letter, quote
from in_chromium.stocked import FEED, OpenTab, rows

ATTACK = "<img src=x onerror=\"document.title='owned'\">${document.title='owned'}{{ 7*7 }}`</script>"


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
