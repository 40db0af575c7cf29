"""The first view: is each feed alive and fresh, what came last, and how much there is."""

from __future__ import annotations

from datetime import datetime, timedelta

from nicegui import ui

from coinlake.state import FeedState
from coinlake_cli.page.charts import arrivals_chart
from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import EmptyState, Figure, Tag
from coinlake_cli.page.feeds import ICONS, condition
from coinlake_cli.page.frame import frame
from coinlake_cli.page.quotes_table import Asked, QuotesTable, find
from coinlake_cli.page.wording import ago, count, moment, several, span
from coinlake_warehouse.reading import BatchRecord, Freshness, Reader, Totals

_TOP = Asked(limit=10)
_ARRIVALS = 60


def register(desk: Desk) -> None:
    """Makes the view reachable."""

    @ui.page("/")
    async def show() -> None:
        with frame(desk, "Overview", "/") as live:
            view = _Overview(desk)
            await live.follow(view.refresh)


def _stock(reader: Reader) -> tuple[Totals, list[Freshness], list[BatchRecord]]:
    return reader.totals(), reader.freshness(), reader.batches(limit=_ARRIVALS)


class _Overview:
    """One open overview."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._feeds = _Feeds()
        with ui.element("section").classes("panel stock"):
            Tag("h2", "In the warehouse")
            with ui.element("dl").classes("figures"):
                self._quotes, self._assets = Figure("Quotes written"), Figure("Assets")
                self._captures, self._lag = Figure("Captures loaded"), Figure("Lag of the last batch")
            self._arrivals = ui.echart(arrivals_chart([]), renderer="svg").classes("arrivals")
            self._last = Tag("p").classes("aside")
        with ui.element("section").classes("panel"):
            with ui.element("div").classes("heading"):
                Tag("h2", "Newest prices")
                Tag("a", "All prices", href="/prices")
            self._table = QuotesTable()
            self._empty = EmptyState(
                "payments", "No quotes yet", "They show here as soon as a feed has fetched its first slot."
            )
        self._drawn: list[BatchRecord] = []

    async def refresh(self) -> None:
        """Shows what is newest. Feeds show even where the warehouse is away."""
        now = self._desk.now()
        self._feeds.show(self._desk.feeds(), now)
        totals, freshness, batches = await self._desk.shelf.ask("stock", _stock)
        self._feeds.show_prices(freshness, now)
        self._quotes.say(count(totals.quotes))
        self._assets.say(count(totals.assets))
        self._captures.say(count(totals.captures))
        self._show_batches(batches, now)
        found = await self._desk.shelf.ask(("quotes", _TOP), lambda reader: find(reader, _TOP))
        self._table.show_found(found, _TOP, now)
        self._table.set_visibility(found.total > 0)
        self._empty.set_visibility(found.total == 0)

    def _show_batches(self, batches: list[BatchRecord], now: datetime) -> None:
        self._arrivals.set_visibility(len(batches) > 1)
        if not batches:
            return
        newest = batches[0]
        self._lag.say(span(newest.lag), "From receiving its oldest capture to its quotes standing here")
        self._last.set_text(
            f"Batch {newest.batch_id} came {ago(newest.committed_at, now)} and wrote "
            f"{several(newest.quotes_new, 'quote')} of {several(newest.captures, 'capture')}."
        )
        if batches != self._drawn:
            self._drawn = batches
            self._arrivals.options.update(arrivals_chart(batches))
            self._arrivals.update()


class _Feeds:
    """A card for each feed, made when it first shows and changed from then on."""

    def __init__(self) -> None:
        with ui.element("section").classes("feeds"):
            Tag("h2", "Feeds")
            self._empty = EmptyState(
                "sensors_off",
                "No feed has run yet",
                "coinlake demo needs no key, coinlake run goes live.",
            )
            self._grid = ui.element("div").classes("cards")
        self._cards: dict[tuple[str, str], _FeedCard] = {}

    def show(self, feeds: list[FeedState], now: datetime) -> None:
        """Shows how the feeds of this program fare."""
        self._empty.set_visibility(not feeds)
        for feed in feeds:
            name = (feed.source, feed.dataset)
            if name not in self._cards:
                with self._grid:
                    self._cards[name] = _FeedCard(feed)
            self._cards[name].show(feed, now)

    def show_prices(self, freshness: list[Freshness], now: datetime) -> None:
        """Shows how old each source's newest quote is."""
        newest = {each.source: each for each in freshness}
        for (source, _), card in self._cards.items():
            if source in newest:
                card.show_prices(newest[source], now)


class _FeedCard:
    """One feed: its state in a word, an icon and a colour, and its times."""

    def __init__(self, feed: FeedState) -> None:
        with ui.element("article").classes("panel feed") as self._card:
            with ui.element("div").classes("heading"):
                with Tag("h3", feed.source):
                    Tag("span", feed.dataset).classes("dataset")
                with ui.element("p").classes("state"):
                    self._icon = ui.icon("pending")
                    self._word = Tag("span")
            self._says = Tag("p").classes("says")
            self._error = Tag("p").classes("error")
            with ui.element("dl").classes("figures"):
                self._slot, self._next = Figure("Last slot"), Figure("Next slot")
                self._newest, self._missed = Figure("Newest price"), Figure("Slots missed")
        self._synthetic = False

    def show(self, feed: FeedState, now: datetime) -> None:
        """Shows the feed's state at `now`."""
        found = condition(feed, now)
        self._card.classes(replace=f"panel feed is-{found.word.lower()}")
        self._icon.set_name(ICONS[found.word])
        self._word.set_text(found.word)
        self._says.set_text(found.says)
        self._error.set_text(found.trouble or "")
        self._error.set_visibility(bool(found.trouble))
        self._slot.say(ago(feed.last_slot, now), _utc(feed.last_slot))
        self._next.say(_until(feed.next_slot_at, now), _utc(feed.next_slot_at))
        self._missed.say(count(feed.slots_missed), "Slots that went by without an attempt")

    def show_prices(self, newest: Freshness, now: datetime) -> None:
        """Shows the age of the source's newest quote."""
        mark = " (synthetic)" if newest.synthetic else ""
        self._newest.say(ago(newest.newest_as_of, now) + mark, _utc(newest.newest_as_of))


def _utc(when: datetime | None) -> str:
    return f"{moment(when)} UTC" if when else ""


def _until(when: datetime | None, now: datetime) -> str:
    if when is None:
        return "not planned"
    return "due" if when - now < timedelta(seconds=1) else ago(when, now)
