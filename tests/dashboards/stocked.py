"""A warehouse of recorded days, loaded as the embedded profile loads it: for dashboards to ask.

CoinGecko's pages are as they were recorded; what Binance and Coinbase might have said then is made up, as
in the demo. One page is cut, so that there are dead letters; of one day CoinGecko says no market cap of
Bitcoin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import namedtuple_row

from coinlake import assets, plugins
from coinlake.model import Capture, Held, capture_batch
from coinlake.refining import refinery_of
from coinlake.settings import RefineSettings
from coinlake.testing.recordings import Recording
from coinlake.testing.stopped_clock import StoppedClock
from coinlake.warehouse import Batch
from coinlake_cli.deployment import BUILT_IN
from coinlake_cli.venues import shipped
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.preparing import prepare
from coinlake_warehouse.rights import grant_reader
from servers.postgres import Postgres

DAYS = 10
LAKE = UUID(int=7)
_DATASETS = {
    ("binance", "24hr"): "ticker",
    ("binance", "klines"): "klines",
    ("coinbase", "ticker"): "ticker",
    ("coinbase", "candles"): "candles",
}
"""By venue and the end of a path."""
_MARKET_CAP_OF_BITCOIN = re.compile(rb'("id": ?"bitcoin".*?"market_cap": ?)[\d.]+', re.DOTALL)


@dataclass(frozen=True)
class Stocked:
    """The warehouse, and what was put in."""

    dsn: str
    """Of a login that only reads, as Grafana's is."""
    pages: Sequence[Capture]
    """CoinGecko's, whole, oldest first."""
    unsaid: Capture
    """That of them that says no market cap of Bitcoin."""
    cut: Capture
    """The page that ends in the middle of a row."""
    traceparents: Sequence[str]
    """Of the batches, in order."""

    @property
    def since(self) -> datetime:
        """Before all of it."""
        return self.pages[0].received_at - timedelta(hours=2)

    @property
    def until(self) -> datetime:
        """After all of it."""
        return self.pages[-1].received_at + timedelta(hours=2)

    def rows(self, page: Capture) -> list[dict[str, Any]]:
        """A page's rows by a plain reading of JSON, numbers with all their digits."""
        found: list[dict[str, Any]] = json.loads(page.body, parse_float=Decimal, parse_int=Decimal)
        return found

    def answer(self, query: str) -> list[Any]:
        """What the warehouse answers to the reader."""
        with psycopg.connect(self.dsn, row_factory=namedtuple_row) as session:
            return session.execute(query.encode()).fetchall()


def stock(postgres: Postgres) -> Stocked:
    """A new database with the last recorded days in it."""
    owner = postgres.new_database()
    prepare(owner, assets.load())
    captures = sorted(_captures(), key=lambda one: one.received_at)
    pages = [one for one in captures if one.source == "coingecko"]
    unsaid = replace(pages[3], body=_MARKET_CAP_OF_BITCOIN.sub(rb"\1null", pages[3].body, count=1))
    assert unsaid.body != pages[3].body
    cut = replace(pages[-1], page=2, body=pages[-1].body[: len(pages[-1].body) * 2 // 3])
    pages[3] = unsaid
    loaded = [
        unsaid if one.received_at == unsaid.received_at and one.source == "coingecko" else one
        for one in captures
    ]
    traceparents = _load(owner, [*loaded, cut])
    _tell_of_more(owner, cut.received_at)
    grant_reader(owner, "grafana", "not so secret")
    reader = make_conninfo(owner, user="grafana", password="not so secret")
    return Stocked(reader, pages, unsaid, cut, traceparents)


def _captures() -> Iterator[Capture]:
    """The last days of all venues, as each answer would have been kept."""
    coingecko, *made_up = shipped()
    pages = coingecko.course["markets"][-DAYS:]
    moments = [page.recorded_at for page in pages if page.recorded_at]
    yield from (_capture("coingecko", "markets", page, at) for page, at in zip(pages, moments, strict=True))
    for venue in made_up:
        for recording in venue.recordings:
            name = (venue.source, PurePosixPath(recording.endpoint or "").name)
            moment = recording.recorded_at or moments[-1]
            if name in _DATASETS and moment >= moments[0]:
                yield _capture(venue.source, _DATASETS[name], recording, moment)


def _capture(source: str, dataset: str, recording: Recording, moment: datetime) -> Capture:
    return Capture(
        source=source,
        dataset=dataset,
        slot=moment.replace(second=0, microsecond=0),
        page=1,
        url=recording.url or "",
        params=tuple(recording.params.items()) or (("vs_currency", "usd"),),
        status=200,
        headers={},
        body=recording.body,
        requested_at=moment,
        received_at=moment,
        run_id="recorded",
        plugin_version="1",
        traceparent="",
        synthetic=recording.synthetic,
    )


def _load(dsn: str, captures: Sequence[Capture]) -> list[str]:
    """A batch a day; each trace context."""
    loaded = plugins.load(BUILT_IN)
    refinery = refinery_of(loaded, {}, RefineSettings().steps)
    clock = StoppedClock(captures[0].received_at)
    held = [Held(position, capture) for position, capture in enumerate(captures, start=1)]
    traceparents = []
    with closing(PostgresWarehouse(dsn, clock)) as warehouse:
        for day, group in groupby(held, key=lambda one: one.capture.received_at.date()):
            batch = list(group)
            newest = batch[-1].capture.received_at
            clock.move(seconds=(newest - clock.now()).total_seconds() + 7)
            traceparents.append(f"00-{day:%Y%m%d}{'ab' * 12}-{'cd' * 8}-01")
            warehouse.load(
                Batch(
                    kind="tail",
                    lake_id=LAKE,
                    after=batch[0].position - 1,
                    captures=batch,
                    decoded=refinery.refine(capture_batch([one.capture for one in batch])),
                    started_at=newest + timedelta(seconds=2),
                    traceparent=traceparents[-1],
                )
            )
    return traceparents


def _tell_of_more(dsn: str, finished_at: datetime) -> None:
    """What the embedded profile has not, or only later: how far partitions were loaded, a verification."""
    with psycopg.connect(dsn) as session:
        session.execute("INSERT INTO coinlake.bus_offsets VALUES ('coinlake.captures', 0, 'an id', 12)")
        session.execute(
            "INSERT INTO coinlake.verifications"
            " (finished_at, seconds, is_whole, captures, pending, missing, doubled, different, extra,"
            " damaged, lost) VALUES (%s, 1.5, true, 100, 0, 0, 0, 0, 0, 0, 0)",
            (finished_at,),
        )


def chosen(**changed: str) -> Mapping[str, str]:
    """What somebody looks at: bitcoin at CoinGecko, by the day."""
    return {"source": "coingecko", "currency": "usd", "asset": "bitcoin", "interval": "1d", **changed}
