"""Dead letters and batches, seen through a real Chromium."""

from __future__ import annotations

from playwright.sync_api import expect

from coinlake.errors import TryAgain
from in_chromium.scene import CAPTURE, NOW, Scene, batch, letter
from in_chromium.stocked import OpenTab


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
    expect(tab.locator("nav .pill:not(.wrong)")).to_be_hidden()


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
