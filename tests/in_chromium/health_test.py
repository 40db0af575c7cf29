"""How it fares, seen through a real Chromium: what is wrong, what waits, what is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as Tab

from coinlake_cli.alerts.episodes import Episode
from coinlake_cli.lag import Hop
from coinlake_cli.page.desk import Allowance
from in_chromium.scene import NOW, Scene, letter
from in_chromium.stocked import FEED, OpenTab, fill

STALLED = Episode(
    2,
    "PipelineStalled",
    "",
    "page",
    "No new row in the warehouse for over 10 minutes.",
    NOW - timedelta(minutes=3),
    None,
)
OVER = Episode(
    1,
    "FeedStale",
    "coingecko/markets<b>",
    "ticket",
    "Three slots went by <i>without</i> a whole one.",
    NOW - timedelta(hours=2),
    NOW - timedelta(hours=1),
)


def panel(tab: Tab, title: str) -> Locator:
    return tab.locator("section.panel", has=tab.get_by_role("heading", name=title, exact=True))


def test_without_anybody_who_watches_it_says_who_does(open_tab: OpenTab) -> None:
    tab = open_tab("/health")
    expect(panel(tab, "Alerts")).to_contain_text("coinlake run watches its deployment")
    expect(panel(tab, "Feeds")).to_contain_text("No feed has run yet")
    expect(panel(tab, "Quota")).to_contain_text("No source counts its calls")
    expect(panel(tab, "Dead letters by rule")).to_contain_text("Every row was taken")
    expect(tab.locator("nav .pill.wrong")).to_be_hidden()


def test_in_the_distributed_profile_it_says_who_watches(scene: Scene, open_tab: OpenTab) -> None:
    scene.watched_elsewhere = True
    expect(panel(open_tab("/health"), "Alerts")).to_contain_text("stands in Alertmanager")


def test_what_is_wrong_stands_first_and_is_counted_on_every_view(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    scene.alerts = [STALLED, OVER]
    tab = open_tab("/health")
    rows = panel(tab, "Alerts").locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("PipelineStalled")
    expect(rows.nth(0)).to_contain_text("now")
    expect(rows.nth(0)).to_contain_text("3 min ago")
    expect(rows.nth(1)).to_contain_text("coingecko/markets<b>")
    expect(rows.nth(1)).to_contain_text("over")
    expect(rows.nth(1)).to_contain_text("1 h")
    expect(tab.locator("nav .pill.wrong")).to_have_text("1")
    expect(open_tab("/prices").locator("nav .pill.wrong")).to_have_text("1")


def test_it_follows_by_itself_as_an_alert_begins_and_ends(scene: Scene, open_tab: OpenTab) -> None:
    scene.alerts = []
    tab = open_tab("/health")
    expect(panel(tab, "Alerts")).to_contain_text("Nothing is wrong")
    scene.alerts = [STALLED]
    expect(tab.locator("nav .pill.wrong")).to_have_text("1")
    expect(panel(tab, "Alerts")).to_contain_text("No new row in the warehouse")
    scene.alerts = [replace(STALLED, ended_at=NOW)]
    expect(tab.locator("nav .pill.wrong")).to_be_hidden()
    expect(panel(tab, "Alerts")).to_contain_text("over")


def test_feeds_hops_quotas_and_refused_rows_are_shown(scene: Scene, open_tab: OpenTab) -> None:
    fill(scene)
    scene.feeds.append(replace(FEED, dataset="list", failures=2, last_error="Answered 503", slots_missed=4))
    scene.hops = [
        Hop("lake to warehouse", 1_234, timedelta(seconds=95)),
        Hop("lake to topic", None, None, trouble="Kafka is away."),
    ]
    scene.allowances = [Allowance("coingecko", "month", 10_000, 0), Allowance("coingecko", "60s", 30, 29)]
    scene.insert("dead_letters", letter("/8", "price_negative: -1"), letter("/9", "rank_odd: x"))
    tab = open_tab("/health")
    expect(panel(tab, "Feeds").locator("tbody tr").nth(0)).to_contain_text("Fresh")
    expect(panel(tab, "Feeds").locator("tbody tr").nth(1)).to_contain_text("Failing")
    expect(panel(tab, "Feeds").locator("tbody tr").nth(1)).to_contain_text("Answered 503")
    expect(panel(tab, "Lag").locator("tbody tr").nth(0)).to_contain_text("1,234")
    expect(panel(tab, "Lag").locator("tbody tr").nth(0)).to_contain_text("2 min")
    expect(panel(tab, "Lag").locator("tbody tr").nth(1)).to_contain_text("Kafka is away.")
    month = panel(tab, "Quota").locator("tbody tr").nth(0)
    assert month.inner_text().split() == ["coingecko", "this", "month", "0", "10,000"]
    panel(tab, "Dead letters by rule").get_by_role("link", name="rank_odd").click()
    expect(tab.locator("h2", has_text="1 open of rank_odd")).to_be_visible()


def test_alerts_show_also_where_the_warehouse_is_away(scene: Scene, open_tab: OpenTab) -> None:
    scene.alerts = [STALLED]
    scene.run("ALTER TABLE batches RENAME TO away")
    tab = open_tab("/health")
    expect(tab.locator(".trouble")).to_contain_text("This page tries again by itself")
    expect(panel(tab, "Alerts")).to_contain_text("PipelineStalled")
    scene.run("ALTER TABLE away RENAME TO batches")
    expect(tab.locator(".trouble")).to_be_hidden()
