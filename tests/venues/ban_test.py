"""A ban is kept to by every process, dataset and restart of a deployment until it has passed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coinlake.fetch import Fetcher
from coinlake.model import Request
from coinlake.quota import Quota
from coinlake.settings import FetchSettings
from coinlake.state import State
from coinlake.testing import unruly
from coinlake.testing.plain_source import PlainSource
from coinlake.testing.stopped_clock import LeapingClock
from coinlake.testing.unruly import Unruly

BAN_S = 3600
BAN = unruly.status(418, {"retry-after": str(BAN_S)})

_ASKING = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
import structlog
from coinlake.clock import SystemClock
from coinlake.errors import CoinlakeError
from coinlake.fetch import Fetcher
from coinlake.model import Request
from coinlake.quota import Quota
from coinlake.settings import FetchSettings
from coinlake.state import State
from coinlake.testing.plain_source import PlainSource

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def ask(folder, root):
    with State(Path(folder)) as state:
        clock = SystemClock()
        async with Fetcher(FetchSettings(), Quota(state), clock) as fetcher:
            print("ready", flush=True)
            while path := (await asyncio.to_thread(sys.stdin.readline)).strip():
                give_up_at = clock.now() + timedelta(minutes=3)
                try:
                    await fetcher.fetch(PlainSource(root), Request(path), give_up_at=give_up_at)
                    print("kept", flush=True)
                except CoinlakeError as error:
                    print(type(error).__name__, error, flush=True)

asyncio.run(ask(*sys.argv[1:]))
"""


class Asking:
    """A process that fetches whatever path it is told, and says how that went."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, path: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(path.encode() + b"\n")
        return await self.line()

    async def line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            return (await self._process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def asking(folder: Path, root: str) -> AsyncIterator[Asking]:
    """A process of its own on a deployment's folder, killed at the end as a crash would."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _ASKING, str(folder), root),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        one = Asking(process)
        assert await one.line() == "ready"
        yield one
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_ban_of_one_process_stops_the_other_and_every_dataset(tmp_path: Path) -> None:
    async with (
        Unruly(BAN, unruly.whole(b"[1]")) as server,
        asking(tmp_path, server.url) as banned,
        asking(tmp_path, server.url) as other,
    ):
        assert re.match(
            r"WaitUntil .*banned \(HTTP 418\); nothing is sent before", await banned.ask("/ticks")
        )
        for process in (banned, other):
            for path in ("/ticks", "/instruments"):
                assert re.match(r"WaitUntil .*banned \(HTTP 418\)", await process.ask(path))
        assert len(server.heads) == 1


async def test_a_ban_outlives_a_crash_and_ends_on_time(tmp_path: Path) -> None:
    async with Unruly(BAN, unruly.whole(b"[1]")) as server:
        asked_at = datetime.now(UTC)
        async with asking(tmp_path, server.url) as banned:
            await banned.ask("/ticks")
            await banned.kill()
        async with asking(tmp_path, server.url) as restarted:
            assert (await restarted.ask("/ticks")).startswith("WaitUntil")
        assert len(server.heads) == 1
        clock = LeapingClock(asked_at)
        with State(tmp_path) as state:
            async with Fetcher(FetchSettings(), Quota(state), clock) as fetcher:
                answer = await fetcher.fetch(PlainSource(server.url), Request("/ticks"))
    assert answer.response.body == b"[1]"
    assert timedelta(seconds=BAN_S) <= answer.requested_at - asked_at < timedelta(seconds=BAN_S + 60)
