"""The frame around every view: banner, navigation, theme, trouble, and keeping it all up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from nicegui import ui

from coinlake.errors import CoinlakeError
from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import Tag

POLL_S = 1.0
"""How often an open page asks whether anything is new."""

_FIRST_LOOK_S = 2.0
"""How long a page waits for its first rows before it shows without them."""

_VIEWS = (
    ("/", "Overview"),
    ("/prices", "Prices"),
    ("/venues", "Venues"),
    ("/dead-letters", "Dead letters"),
    ("/batches", "Batches"),
    ("/health", "Health"),
)

_THEME_COOKIE = "coinlake_theme"
_FLIP_THEME = f"""() => {{
    Quasar.Dark.set(!Quasar.Dark.isActive);
    const theme = Quasar.Dark.isActive ? "dark" : "light";
    document.cookie = `{_THEME_COOKIE}=${{theme}}; path=/; max-age=31536000; samesite=strict`;
}}"""


class Live:
    """Keeps one open page up to date, and says so where it cannot."""

    def __init__(self, desk: Desk, heading: Tag, trouble: Tag, letters: Tag, alerts: Tag) -> None:
        self._desk = desk
        self._heading = heading
        self._trouble = trouble
        self._letters = letters
        self._alerts = alerts

    def entitle(self, title: str) -> None:
        """Names the page and its tab, where the name is known only once it is read."""
        if title != self._heading.text:
            self._heading.set_text(title)
            ui.page_title(f"{title} · Coinlake")

    async def follow(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Calls `refresh` now and then every `POLL_S`, for as long as the page is open."""

        async def look() -> None:
            try:
                await self._count_alerts()
                await refresh()
                totals = await self._desk.shelf.ask("totals", lambda reader: reader.totals())
            except CoinlakeError as error:
                self._trouble.set_text(f"{error} This page tries again by itself.")
                self._trouble.set_visibility(True)
            else:
                self._trouble.set_visibility(False)
                self._letters.set_text(f"{totals.dead_letters:,}")
                self._letters.set_visibility(totals.dead_letters > 0)

        await self._keep_up(look)

    async def _count_alerts(self) -> None:
        """Shows on every view how many things are wrong."""
        alerts = await asyncio.to_thread(self._desk.vitals.alerts)
        wrong = sum(one.ended_at is None for one in alerts or ())
        self._alerts.set_text(f"{wrong:,}")
        self._alerts.set_visibility(wrong > 0)

    async def _keep_up(self, look: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(_FIRST_LOOK_S):
                await look()
        except TimeoutError:
            self._trouble.set_text("Waiting for the warehouse …")
            self._trouble.set_visibility(True)
        ui.timer(POLL_S, look, immediate=False)


@contextmanager
def frame(desk: Desk, title: str, here: str) -> Iterator[Live]:
    """Everything around a view; `here` is the path of the navigation's entry that is shown as current."""
    ui.page_title(f"{title} · Coinlake")
    _leave_main_to_us()
    _theme()
    Tag("a", "Skip to content", href="#main").classes("skip")
    if desk.banner:
        Tag("p", desk.banner, role="note").classes("banner")
    with ui.element("header").classes("top"):
        with Tag("a", href="/", aria_label="Coinlake, overview").classes("brand"):
            ui.html(_MARK, sanitize=False)
            Tag("span", "Coinlake")
        with Tag("nav", aria_label="Views"):
            for path, name in _VIEWS:
                with Tag("a", name, href=path) as link:
                    if path == here:
                        link.props["aria-current"] = "page"
                    if path == "/dead-letters":
                        letters = Tag("span", title="open dead letters").classes("pill")
                        letters.set_visibility(False)
                    if path == "/health":
                        alerts = Tag("span", title="open alerts").classes("pill wrong")
                        alerts.set_visibility(False)
        with Tag("button", type="button", aria_label="Switch between light and dark").classes("flip") as flip:
            ui.icon("contrast")
        flip.on("click", js_handler=_FLIP_THEME)
    with Tag("main", id="main", tabindex="-1"):
        heading = Tag("h1", title)
        trouble = Tag("p", role="status").classes("trouble")
        trouble.set_visibility(False)
        yield Live(desk, heading, trouble, letters, alerts)


def _leave_main_to_us() -> None:
    """Takes the meaning off the `main` that Quasar puts everything into, navigation and all."""
    slot = ui.context.client.content.parent_slot
    assert slot is not None
    slot.parent.props["role"] = "presentation"


def _theme() -> None:
    """Light or dark as the system has it, unless the person chose one in this browser."""
    request = ui.context.client.request
    chosen = request.cookies.get(_THEME_COOKIE)
    ui.dark_mode({"dark": True, "light": False}.get(chosen or ""))


_MARK = """
<svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
  <circle cx="16" cy="16" r="15" fill="var(--accent)"/>
  <path d="M5 15c3.7-3 7.3-3 11 0s7.3 3 11 0M5 21c3.7-3 7.3-3 11 0s7.3 3 11 0" fill="none"
    stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round"/>
  <circle cx="16" cy="9" r="2.2" fill="var(--on-accent)"/>
</svg>
"""
