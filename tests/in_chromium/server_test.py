"""Where the page listens, whom it answers, and how often it asks the warehouse."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.settings import PageSettings
from coinlake_cli.page import Page
from coinlake_cli.page.shelf import Shelf
from coinlake_warehouse.reading import Reader
from in_chromium.scene import NOW, Scene, batch


def make(settings: PageSettings, dsn: str = "host=127.0.0.1 port=1") -> Page:
    async def replay(_: object) -> str:
        return ""

    return Page(settings, reader=Reader(dsn), feeds=list, replay=replay, now=lambda: NOW)


@asynccontextmanager
async def client(settings: PageSettings) -> AsyncIterator[httpx.AsyncClient]:
    page = make(settings)
    url = await page.start()
    try:
        async with httpx.AsyncClient(base_url=url) as asking:
            yield asking
    finally:
        await page.stop()


async def test_a_taken_port_is_refused_by_name_and_no_other_is_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FixConfiguration, match=rf"page\.port: port {port} .* is taken.*--port 0"):
            await make(PageSettings(port=port)).start()


async def test_an_address_of_another_machine_is_refused_by_name() -> None:
    with pytest.raises(FixConfiguration, match=r"page\.host: cannot listen on '192\.0\.2\.7'"):
        await make(PageSettings(host="192.0.2.7", port=0)).start()


async def test_a_page_can_be_stopped_and_its_port_used_again() -> None:
    page = make(PageSettings(port=0))
    port = int(httpx.URL(await page.start()).port or 0)
    await page.stop()
    again = make(PageSettings(port=port))
    assert await again.start() == f"http://127.0.0.1:{port}/"
    await again.stop()


async def test_a_page_listens_on_loopback_unless_told_otherwise() -> None:
    page = make(PageSettings(port=0))
    url = httpx.URL(await page.start())
    assert url.host == "127.0.0.1"
    [listener] = page._server.servers  # type: ignore[union-attr]
    assert [name.getsockname()[0] for name in listener.sockets] == ["127.0.0.1"]
    await page.stop()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("", 421),
        ("[::bad", 421),
    ],
)
async def test_a_foreign_name_pointed_at_this_machine_gets_nothing(host: str, status: int) -> None:
    async with client(PageSettings(port=0)) as asking:
        name = host.format(port=asking.base_url.port)
        assert (await asking.get("/batches", headers={"host": name})).status_code == status


async def test_another_sites_script_cannot_open_a_connection() -> None:
    async with client(PageSettings(port=0)) as asking:
        path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket&client_id=x"
        upgrade = {
            "connection": "Upgrade",
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        foreign = {**upgrade, "origin": "http://evil.example"}
        assert (await asking.get(path, headers=foreign)).status_code == 403
        own = {**upgrade, "origin": str(asking.base_url).rstrip("/")}
        async with asking.stream("GET", path, headers=own) as answer:
            assert answer.status_code == 101


async def test_answers_forbid_frames_foreign_content_and_guessing() -> None:
    async with client(PageSettings(port=0)) as asking:
        headers = (await asking.get("/batches")).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_page_opens_while_the_warehouse_is_away() -> None:
    async with client(PageSettings(port=0)) as asking:
        answer = await asking.get("/")
    assert answer.status_code == 200
    assert "This page tries again by itself" in answer.text


class CountingReader(Reader):
    """A reader that counts its questions."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.asked = 0

    def _all(self, row: Any, name: str, **values: Any) -> Any:
        self.asked += name != "newest_batch"
        return super()._all(row, name, **values)


async def test_many_askers_cost_one_question_a_batch(scene: Scene) -> None:
    reader = CountingReader(scene.dsn)
    with reader:
        shelf = Shelf(reader)
        ask: Callable[[], Any] = lambda: shelf.ask("totals", lambda reader: reader.totals())  # noqa: E731
        await asyncio.gather(*(ask() for _ in range(20)))
        await ask()
        assert reader.asked == 1
        scene.insert("batches", batch(5))
        async with asyncio.timeout(10):
            while (await ask()).batches != 1:
                await asyncio.sleep(0.02)
        assert reader.asked == 2


async def test_a_failed_answer_is_not_kept(scene: Scene) -> None:
    with Reader(scene.dsn) as reader:
        shelf = Shelf(reader)

        def fail(_: Reader) -> int:
            raise TryAgain("busy")

        with pytest.raises(TryAgain):
            await shelf.ask("question", fail)
        assert await shelf.ask("question", lambda _: 7) == 7
