"""The view of prices: every asset's newest quote, searched and sorted by the warehouse."""

from __future__ import annotations

from dataclasses import replace

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import EmptyState, Tag
from coinlake_cli.page.frame import frame
from coinlake_cli.page.quotes_table import Asked, QuotesTable, find
from coinlake_cli.page.tables import Pages
from coinlake_cli.page.wording import several

_SEARCH_PAUSE_MS = 250


def register(desk: Desk) -> None:
    """Makes the view reachable."""

    @ui.page("/prices")
    async def show(q: str = "") -> None:
        with frame(desk, "Prices", "/prices") as live:
            view = _Prices(desk, q)
            await live.follow(view.refresh)


class _Prices:
    """One open page of prices."""

    def __init__(self, desk: Desk, sought: str) -> None:
        self._desk = desk
        self._asked = Asked(sought=sought)
        with ui.element("div").classes("toolbar"):
            search = ui.input(placeholder="Name, symbol or id", value=sought, on_change=self._search)
            search.classes("search").props(
                f"outlined dense clearable type=search debounce={_SEARCH_PAUSE_MS}"
            )
            search.props["aria-label"] = "Search"
            self._count = Tag("p", role="status").classes("aside")
        with ui.element("section").classes("panel"):
            self._table = QuotesTable(on_order=self._turn)
            self._empty = EmptyState("payments", "No quotes yet", "")
        self._pages = Pages(self._asked.limit, self._page)

    async def refresh(self) -> None:
        """Shows what is newest."""
        asked = self._asked
        found = await self._desk.shelf.ask(("quotes", asked), lambda reader: find(reader, asked))
        if asked is not self._asked:  # asked for something else meanwhile, which shows by itself
            return
        self._table.show_found(found, asked, self._desk.now())
        self._table.set_visibility(found.total > 0)
        self._empty.set_visibility(found.total == 0)
        if asked.sought.strip():
            self._empty.say("Nothing found", "No name, symbol or id of an asset has that in it.")
        else:
            self._empty.say("No quotes yet", "They show here as soon as a feed has fetched its first slot.")
        self._count.set_text(several(found.total, "asset") if found.total else "")
        self._pages.show(found.total)

    async def _search(self, event: ValueChangeEventArguments[str | None]) -> None:
        self._asked = replace(self._asked, sought=event.value or "", offset=0)
        self._pages.value = 1
        await self.refresh()

    async def _turn(self, order: str) -> None:
        self._asked = self._asked.turned_by(order)
        self._pages.value = 1
        await self.refresh()

    async def _page(self, offset: int) -> None:
        if offset != self._asked.offset:
            self._asked = replace(self._asked, offset=offset)
            await self.refresh()
