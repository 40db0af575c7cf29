"""Polling, loading and the page side by side, or the page alone, until somebody stops them or all is done."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from typing import NoReturn
from uuid import UUID

from coinlake.errors import CoinlakeError
from coinlake_cli.alerts.episodes import Episodes
from coinlake_cli.deployment import Deployment
from coinlake_cli.feeds import NewsOfCaptures, Schedules, feeds_of, fetching
from coinlake_cli.output import talk
from coinlake_cli.page import Page
from coinlake_cli.replaying import replay_letters
from coinlake_cli.vitals import vitals

EXIT_CUT_SHORT = 130
_STOPPING = (signal.SIGINT, signal.SIGTERM)


class Serving:
    """One run of a deployment's feeds, pipeline and page in this process."""

    def __init__(
        self,
        deployment: Deployment,
        news: NewsOfCaptures,
        *,
        port: int | None = None,
        polls: bool = True,
        banner: str | None = None,
        episodes: Episodes | None = None,
        schedules: Schedules = lambda source, dataset: None,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """Without `polls` it shows what another program captures. `episodes` are of whoever watches it.
        `tidy` leaves the terminal as it was, for an end that skips the caller's own."""
        self._deployment = deployment
        self._polls = polls
        self._news = news
        self._schedules = schedules
        self._tidy = tidy
        self._stop = asyncio.Event()
        settings = deployment.settings.page
        self._page = Page(
            settings if port is None else settings.model_copy(update={"port": port}),
            reader=deployment.reader,
            feeds=deployment.state.feeds,
            replay=self._replay,
            now=deployment.clock.now,
            banner=banner,
            vitals=vitals(deployment, episodes),
        )

    async def until_stopped(self) -> None:
        """Runs until SIGINT or SIGTERM, or until every schedule has ended and all it brought is loaded.

        Stopping finishes what is in hand: an answer that came is stored, a batch begun is committed. What
        is stored and not loaded yet is loaded at the next start. A second signal ends the process at once,
        with nothing left running.
        """
        _on_signals(self._stop.set, self._cut_short)
        self._news.listen(asyncio.get_running_loop())
        url = await self._page.start()
        talk.print(f"The page: {url}   (Ctrl-C stops)", markup=False)
        loading = asyncio.create_task(self._load())
        try:
            if self._polls:
                await self._poll()
            else:
                await self._stop.wait()
        finally:
            self._stop.set()
            await loading
            await self._page.stop()
        talk.print("Stopped; everything that was received is stored.", markup=False)

    async def _poll(self) -> None:
        """Captures until stopped, or until every schedule has ended and all it brought is loaded."""
        async with fetching(self._deployment) as fetcher:
            feeds = feeds_of(self._deployment, fetcher, self._schedules)
            async with asyncio.TaskGroup() as polling:
                for feed in feeds:
                    polling.create_task(feed.feed.run(self._stop))
        if self._deployment.loads and not self._stop.is_set():
            await self._deployment.pipeline.drain(self._stop, recover=self._deployment.revive)

    def _cut_short(self) -> NoReturn:
        """Ends the process without waiting for its threads: all but the server dies with it."""
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        try:
            self._tidy()
            talk.print("Cut short: the next start goes on from what is stored.", markup=False)
            if self._deployment.server is not None:
                self._deployment.server.stop()
        except CoinlakeError as error:
            talk.print(str(error), markup=False)
        finally:
            os._exit(EXIT_CUT_SHORT)

    async def _load(self) -> None:
        if not self._deployment.loads:
            return
        await self._deployment.pipeline.run(self._stop, self._news.arrived, recover=self._deployment.revive)

    async def _replay(self, letters: Sequence[tuple[UUID, str]]) -> str:
        """For the page: reads the captures of dead letters again, and says how it went."""
        return await asyncio.to_thread(replay_letters, self._deployment, letters)


def _on_signals(first: Callable[[], None], second: Callable[[], NoReturn]) -> None:
    """Calls `first` when somebody asks this process to stop, and `second` when they ask again."""
    is_asked = False

    def stop() -> None:
        nonlocal is_asked
        if is_asked:
            second()
        is_asked = True
        talk.print("Stopping… (once more to stop at once)", markup=False)
        first()

    for number in _STOPPING:
        asyncio.get_running_loop().add_signal_handler(number, stop)
