"""The page of a real warehouse, served in this process and opened in a real Chromium."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Response
from playwright.sync_api import Page as Tab
from playwright.sync_api import Request as Sent

from coinlake.settings import PageSettings
from coinlake_cli.page import Page
from coinlake_cli.page.desk import Vitals
from coinlake_warehouse.conftest import dsn, fresh, server
from coinlake_warehouse.reading import Reader
from in_chromium.scene import Scene
from screenshots.browser import CHROMIUM, chromium

__all__ = ["dsn", "fresh", "server"]

_START_S = 20


@pytest.fixture
def scene(dsn: str) -> Scene:
    """An empty warehouse, and no feeds."""
    return Scene(dsn)


@pytest.fixture
def serve(scene: Scene) -> Iterator[Callable[[], str]]:
    """Starts the page of the scene and gives its URL."""
    stops: list[Callable[[], None]] = []

    def start() -> str:
        scene.url = _in_thread(scene, stops)
        return scene.url

    yield start
    for stop in stops:
        stop()


def _in_thread(scene: Scene, stops: list[Callable[[], None]]) -> str:
    started = threading.Event()
    stopping = asyncio.Event()
    found: list[str] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def replay(keys: Sequence[tuple[UUID, str]]) -> str:
        scene.replayed.extend(keys)
        return scene.on_replay(keys)

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        with Reader(scene.dsn) as reader:
            page = Page(
                PageSettings(port=0),
                reader=reader,
                feeds=lambda: scene.feeds,
                replay=replay,
                now=lambda: scene.now,
                banner=scene.banner,
                vitals=Vitals(
                    alerts=lambda: scene.alerts,
                    watched_elsewhere=scene.watched_elsewhere,
                    hops=lambda: scene.hops,
                    allowances=lambda: scene.allowances,
                ),
            )
            found.append(await page.start())
            started.set()
            await stopping.wait()
            await page.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="page")
    thread.start()

    def stop() -> None:
        loops[0].call_soon_threadsafe(stopping.set)
        thread.join()

    stops.append(stop)
    assert started.wait(_START_S), "the page did not start"
    return found[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which must be there in CI; closed before other modules use event loops of theirs."""
    if not CHROMIUM.exists():
        how = f"{CHROMIUM} is missing: `apt-get install chromium` (Debian), then these tests can run"
        if "CI" in os.environ:
            pytest.fail(how)
        pytest.skip(how)
    with chromium() as launched:
        yield launched


@pytest.fixture
def open_tab(browser: Browser, serve: Callable[[], str], scene: Scene) -> Iterator[Callable[..., Tab]]:
    """Opens a path of the page in a new tab; whatever goes wrong in any tab fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_path(path: str, **options: Any) -> Tab:
        url = scene.url or serve()
        context = browser.new_context(**options)
        contexts.append(context)
        tab = context.new_page()
        _watch(tab, url, faults)
        tab.goto(url.rstrip("/") + path)
        tab.locator("main h1").wait_for()
        return tab

    yield open_path
    for context in contexts:
        context.close()
    assert not faults, "\n".join(faults)


def _watch(tab: Tab, url: str, faults: list[str]) -> None:
    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            faults.append(f"console {message.type}: {message.text}")

    def sent(request: Sent) -> None:
        if not request.url.startswith((url, url.replace("http", "ws"), "data:")):
            faults.append(f"request to another place: {request.url}")

    def failed(request: Sent) -> None:
        faults.append(f"request failed: {request.url} {request.failure}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            faults.append(f"{response.status}: {response.url}")

    tab.on("console", said)
    tab.on("request", sent)
    tab.on("requestfailed", failed)
    tab.on("response", answered)
    tab.on("pageerror", lambda error: faults.append(f"script error: {error}"))
