"""A source tried from end to end, for its tests: recorded answers, through the ordinary code, to real rows.

    with tried("kraken", "tickers", RECORDINGS, folder=tmp_path) as ask:
        assert ask("SELECT asset, price FROM quotes") == [("BTC", "67123.45")]

A server on loopback answers what was recorded; the fetcher asks it at each recorded moment; the lake keeps
the answers; the refine steps and the embedded PostgreSQL make rows and candles of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake.source import dataset_of
from coinlake.testing.clock import ReplayClock, recorded_slots
from coinlake.testing.recorded_mimic import RecordedMimic
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake_cli.deployment import Deployment, load_plugins, opened
from coinlake_cli.feeds import feeds_of, fetching
from coinlake_warehouse.query import query

_SPEED = 1e9

Ask = Callable[[str], list[tuple[Any, ...]]]
"""SQL in, rows out; amounts are text, digit for digit."""


@contextmanager
def tried(
    source: str,
    dataset: str,
    recordings: Path,
    *,
    folder: Path,
    plugin: str = "",
    **given: object,
) -> Iterator[Ask]:
    """A warehouse with what was recorded of a dataset, each slot captured at its moment, all of it loaded.

    `recordings` is a folder of answers with their URLs; `folder` an empty one to work in; `plugin` the
    module of a plugin that is neither built in nor installed; `given` what the source's table is to hold
    besides `root`, which it must have. Raises what stopped a slot, such as `Refused` for what was never
    recorded.
    """
    answers = [answer for answer in load(recordings) if answer.recorded_at and answer.url]
    moments = [answer.recorded_at for answer in answers if answer.recorded_at]
    if not moments:
        raise FixConfiguration(f"No recording in {recordings} says what was asked, and when.")
    settings = Settings(folder=folder, plugins=(), sources={source: given})
    if plugin and source not in load_plugins(settings).sources:
        settings = settings.model_copy(update={"plugins": (plugin,)})
    venue = load_plugins(settings).make_source(source, given)
    dataset_of(venue, dataset)
    clock = ReplayClock(min(moments) - timedelta(minutes=1), _SPEED)
    with ReplayServer(answers, RecordedMimic(urlsplit(venue.root).path), clock) as server:
        settings = settings.model_copy(update={"sources": {source: {**given, "root": server.root}}})
        with opened(settings, kind="demo", clock=clock) as deployment:
            asyncio.run(_capture(deployment, dataset, answers, clock))
            deployment.pipeline.catch_up()
            yield lambda sql: _rows(deployment.addresses.reader, sql)


async def _capture(
    deployment: Deployment, dataset: str, answers: Sequence[Recording], clock: ReplayClock
) -> None:
    """Captures each recorded slot at the moment of its last recording."""
    async with fetching(deployment) as fetcher:
        (named,) = [feed for feed in feeds_of(deployment, fetcher) if feed.dataset.name == dataset]
        for slot, moment in recorded_slots(answers, named.dataset.cadence):
            await clock.sleep_until(moment)
            outcome = await named.feed.capture(slot)
            if outcome.error:
                raise outcome.error


def _rows(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with query(dsn, sql) as answer:
        columns = ([column.to_pylist() for column in batch.columns] for batch in answer.batches)
        return [row for batch in columns for row in zip(*batch, strict=True)]
