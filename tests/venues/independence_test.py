"""Different venues at different speeds never wait for each other."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coinlake.model import Request
from coinlake.testing import unruly
from coinlake.testing.plain_source import PlainSource
from coinlake.testing.unruly import Unruly
from venues.program import NOON, PATIENCE_S, each_minute, running, until

SLOTS = 8
BAN_S = 300
HANGING_HOST = "hangs.invalid"
PAGE = Request("/ticks")


async def test_venues_that_hang_ban_and_break_leave_another_s_cadence_untouched(tmp_path: Path) -> None:
    ban = unruly.status(418, {"retry-after": str(BAN_S)})
    async with (
        Unruly(unruly.whole(b"[1]")) as healthy,
        Unruly(unruly.silence()) as hanging,
        Unruly(ban, unruly.whole(b"[2]")) as banning,
        Unruly(unruly.garbage(), unruly.cut_body(), unruly.hang_up(), unruly.status(500)) as breaking,
        running(tmp_path) as program,
    ):
        venues = {"healthy": healthy, "hanging": hanging, "banning": banning, "breaking": breaking}
        sources = [
            PlainSource(server.url, name=name, datasets=each_minute()) for name, server in venues.items()
        ]
        async with program.polling(sources):
            await program.until_captured("healthy", SLOTS)
        program.kept_time("healthy", SLOTS)
        fares = {feed.source: feed for feed in program.state.feeds()}
        assert program.captured("hanging") == []
        assert fares["hanging"].slots_missed >= 2  # so one call hung for more than two minutes
        after_the_ban = [capture.requested_at for capture in program.captured("banning")]
        assert after_the_ban
        assert min(after_the_ban) >= NOON + timedelta(seconds=BAN_S)
        assert fares["breaking"].failures > 3
        assert len(breaking.heads) > 3


async def test_threads_that_are_all_taken_by_something_else_cost_no_slot(tmp_path: Path) -> None:
    gate = threading.Event()
    async with Unruly(unruly.whole(b"[1]")) as server, running(tmp_path) as program:
        taken = [asyncio.get_running_loop().run_in_executor(None, gate.wait) for _ in range(200)]
        try:
            async with program.polling([PlainSource(server.url, datasets=each_minute())]):
                await program.until_captured("plain", 3)
        finally:
            gate.set()
            await asyncio.gather(*taken)
        program.kept_time("plain", 3)


async def test_a_hundred_calls_that_hang_leave_a_connection_for_another_venue(tmp_path: Path) -> None:
    async with (
        Unruly(unruly.whole(b"[1]")) as healthy,
        Unruly(unruly.silence()) as hanging,
        running(tmp_path) as program,
    ):
        hangs = PlainSource(hanging.url, name="hangs")
        calls = [asyncio.create_task(program.fetcher.fetch(hangs, PAGE)) for _ in range(101)]
        try:
            async with asyncio.timeout(PATIENCE_S):
                await until(lambda: len(hanging.heads) == len(calls))
                free = await program.fetcher.fetch(PlainSource(healthy.url), PAGE)
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
    assert free.response.body == b"[1]"


async def test_a_resolver_that_hangs_over_one_venue_s_host_finds_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    gate, find, asked = threading.Event(), socket.getaddrinfo, []

    def resolver(host: Any, *given: Any, **named: Any) -> Any:
        if host in (HANGING_HOST, HANGING_HOST.encode()):
            asked.append(host)
            gate.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return find(host, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    async with Unruly(unruly.whole(b"[1]")) as server, running(tmp_path) as program:
        lost = PlainSource(f"http://{HANGING_HOST}", name="lost", datasets=each_minute(12))
        found = PlainSource(
            server.url.replace("127.0.0.1", "localhost"), name="found", datasets=each_minute()
        )
        try:
            async with program.polling([lost, found]):
                await until(lambda: len(asked) >= 12)
                await program.until_captured("found", 4)
        finally:
            gate.set()
        program.kept_time("found", 4)
