"""The view of how it fares: what is wrong, how far behind each hop is, what is left of each quota."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from nicegui import ui

from coinlake.state import FeedState
from coinlake_cli.alerts.episodes import Episode
from coinlake_cli.lag import Hop
from coinlake_cli.page.desk import Allowance, Desk
from coinlake_cli.page.elements import EmptyState, Tag
from coinlake_cli.page.feeds import condition
from coinlake_cli.page.frame import frame
from coinlake_cli.page.tables import Column, Table
from coinlake_cli.page.wording import NOTHING, ago, count, moment, span, visible
from coinlake_warehouse.reading import RuleBroken


def register(desk: Desk) -> None:
    """Makes the view reachable."""

    @ui.page("/health")
    async def show() -> None:
        with frame(desk, "Health", "/health") as live:
            view = _Health(desk)
            await live.follow(view.refresh)


class _Part:
    """A panel with a table, or with words where it has no rows."""

    def __init__(self, title: str, columns: Sequence[Column], icon: str, headline: str, advice: str) -> None:
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("heading"):
                Tag("h2", title)
            self._table = Table(title, columns).classes("health")
            self._empty = EmptyState(icon, headline, advice)

    def show(self, rows: list[dict[str, Any]]) -> None:
        """Shows rows, or that there is none."""
        self._table.show(rows)
        self._table.set_visibility(bool(rows))
        self._empty.set_visibility(not rows)

    def say(self, headline: str, advice: str) -> None:
        """Changes what is said where there is no row."""
        self._empty.say(headline, advice)


class _Health:
    """One open page of health."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._alerts = _Part("Alerts", _ALERTS, "notifications", "Nothing is wrong", "")
        self._feeds = _Part(
            "Feeds",
            _FEEDS,
            "sensors_off",
            "No feed has run yet",
            "coinlake run starts those of the settings.",
        )
        self._hops = _Part("Lag", _HOPS, "sync", "No hop is known", "It shows what waits on its way.")
        self._quotas = _Part(
            "Quota",
            _QUOTAS,
            "all_inclusive",
            "No source counts its calls",
            "Windows and the month's credits show here where a venue has them.",
        )
        self._letters = _Part(
            "Dead letters by rule", _RULES, "mark_email_read", "No dead letters", "Every row was taken."
        )

    async def refresh(self) -> None:
        """Shows how it fares now. What the warehouse is not needed for shows even where that is away."""
        now, vitals = self._desk.now(), self._desk.vitals
        alerts = await asyncio.to_thread(vitals.alerts)
        if vitals.watched_elsewhere:
            self._alerts.say(
                "Watched by Prometheus",
                "What fires in the distributed profile stands in Alertmanager: docs/observability.md.",
            )
        elif alerts is None:
            self._alerts.say(
                "Nobody watches here",
                "coinlake run watches its deployment, and tells whom alerts.notify names.",
            )
        else:
            self._alerts.say("Nothing is wrong", "Looked at every ten seconds.")
        self._alerts.show([_alert(one, now) for one in alerts or ()])
        self._feeds.show([_feed(feed, now) for feed in self._desk.feeds()])
        self._quotas.show([_quota(one) for one in await asyncio.to_thread(vitals.allowances)])
        self._hops.show([_hop(hop) for hop in await asyncio.to_thread(vitals.hops)])
        broken = await self._desk.shelf.ask("rules", lambda reader: reader.rules_broken())
        self._letters.show([_rule(each, now) for each in broken])


def _alert(one: Episode, now: datetime) -> dict[str, Any]:
    lasted = (one.ended_at or now) - one.began_at
    badge = {"text": "over"} if one.ended_at else {"text": "now", "title": f"severity: {one.severity}"}
    return {
        "key": one.id,
        "named": f"{one.alert} {one.subject}",
        "of": "over" if one.ended_at else f"is-{one.severity}",
        "cells": {
            "alert": {"text": one.alert, "badges": [badge], "after": one.subject},
            "says": {"text": one.says},
            "began": {"text": ago(one.began_at, now), "title": f"{moment(one.began_at)} UTC"},
            "lasted": {"text": span(lasted)},
        },
    }


def _feed(feed: FeedState, now: datetime) -> dict[str, Any]:
    found = condition(feed, now)
    return {
        "key": f"{feed.source}/{feed.dataset}",
        "named": f"{feed.source} {feed.dataset}",
        "of": f"is-{found.word.lower()}",
        "cells": {
            "feed": {"text": feed.source, "after": feed.dataset},
            "state": {"text": found.word, "title": found.says},
            "success": {
                "text": ago(feed.last_success_at, now),
                "title": f"{moment(feed.last_success_at)} UTC" if feed.last_success_at else "",
            },
            "missed": {"text": count(feed.slots_missed)},
            "says": {"text": found.trouble or found.says},
        },
    }


def _hop(hop: Hop) -> dict[str, Any]:
    return {
        "key": hop.hop,
        "named": hop.hop,
        "cells": {
            "hop": {"text": hop.hop},
            "captures": {"text": NOTHING if hop.captures is None else count(hop.captures)},
            "behind": {"text": NOTHING if hop.behind is None else span(hop.behind)},
            "says": {"text": hop.trouble or ""},
        },
    }


def _quota(one: Allowance) -> dict[str, Any]:
    return {
        "key": f"{one.source}/{one.period}",
        "named": f"{one.source}, {one.period}",
        "of": "spent" if not one.left else "",
        "cells": {
            "source": {"text": one.source},
            "period": {"text": "this month" if one.period == "month" else f"each {one.period}"},
            "left": {"text": count(one.left), "of": "some" if not one.left else ""},
            "limit": {"text": count(one.limit)},
        },
    }


def _rule(each: RuleBroken, now: datetime) -> dict[str, Any]:
    asked = f"?source={quote(each.source, safe='')}&rule={quote(each.rule, safe='')}"
    return {
        "key": f"{each.source}/{each.rule}",
        "named": each.rule,
        "cells": {
            "rule": {"text": visible(each.rule) or "unnamed", "href": f"/dead-letters{asked}"},
            "source": {"text": each.source or NOTHING},
            "letters": {"text": count(each.letters)},
            "newest": {"text": ago(each.newest_rejected_at, now)},
        },
    }


_ALERTS = (
    Column("alert", "Alert", "name", heads=True),
    Column("says", "What is wrong", "says"),
    Column("began", "Began", "num"),
    Column("lasted", "Lasts, or did", "num wide"),
)
_FEEDS = (
    Column("feed", "Feed", "name", heads=True),
    Column("state", "State", "word"),
    Column("success", "Last success", "num"),
    Column("missed", "Slots missed", "num wide"),
    Column("says", "Which means", "says wide"),
)
_HOPS = (
    Column("hop", "Hop", "name", heads=True),
    Column("captures", "Captures waiting", "num"),
    Column("behind", "Behind", "num"),
    Column("says", "Trouble", "says wide"),
)
_QUOTAS = (
    Column("source", "Source", "name", heads=True),
    Column("period", "Period"),
    Column("left", "Left", "num"),
    Column("limit", "Of", "num"),
)
_RULES = (
    Column("rule", "Rule", "name", heads=True),
    Column("source", "Source"),
    Column("letters", "Open", "num"),
    Column("newest", "Newest", "num"),
)
