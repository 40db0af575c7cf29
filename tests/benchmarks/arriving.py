"""The programs at work: how soon a page in the lake is a row, and what must not grow with what was loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg

from benchmarks.pages import COINS, captures
from benchmarks.publishing import new_lake, peak_mib, producing
from benchmarks.result import Result
from benchmarks.streaming import empty_batch_s
from chaos.processes import family
from coinlake.model import Capture, Held
from coinlake_bus.message import encode
from coinlake_lake.mongo import MongoLake
from coinlake_warehouse.preparing import prepare
from distributed.site import Site
from servers import fetch
from servers.fixtures import Spark
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.postgres import Postgres
from servers.process import Process

_EVERY_S = 1.0
_LOOK_AGAIN_S = 0.005
_WARMING = 10
"""Pages whose time does not count: programs start, and Java warms up."""
_PROBES = 5
_PUBLISHED_AT_ONCE = 500
_LAKE = UUID(int=1)


def latency(folder: Path, *, pages: int) -> Iterator[Result]:
    """From the call that stores a page in the lake until its rows can be read, one page a second."""
    place = folder / "latency"
    place.mkdir()
    with (
        Mongo(place / "mongo") as mongo,
        Kafka(place / "kafka") as kafka,
        Postgres(place / "postgres") as postgres,
    ):
        url = new_lake(mongo)
        site = _site(place, kafka, postgres)
        with producing(place / "producer", url, site.bus), site.loading(), MongoLake(url) as lake:
            taken_s = sorted(_arrivals(lake, site, pages))
    p95_s, empty_s = taken_s[int(len(taken_s) * 0.95)], empty_batch_s(folder)
    said = f"p50 {median(taken_s) * 1000:,.0f} ms, p95 {p95_s * 1000:,.0f} ms"
    yield Result("lake to row, one page a second, p95 against 1 s", p95_s, 1, more_is_better=False, said=said)
    yield Result(
        "lake to row, one page a second, p95 against an empty micro-batch",
        p95_s / empty_s,
        4,
        more_is_better=False,
        said=f"{said}; an empty micro-batch {empty_s * 1000:,.0f} ms",
    )


def _arrivals(lake: MongoLake, site: Site, pages: int) -> Iterator[float]:
    """Seconds that each page took, but for the first, while which programs start."""
    with psycopg.connect(site.dsn, autocommit=True) as session:
        for number, capture in enumerate(captures(pages + _WARMING)):
            began = time.perf_counter()
            lake.append(capture)
            while not _is_readable(session, capture.id):
                time.sleep(_LOOK_AGAIN_S)
            taken_s = time.perf_counter() - began
            if number >= _WARMING:
                yield taken_s
            time.sleep(max(0.0, _EVERY_S - taken_s))


def growth(folder: Path, *, pages: int, small: int, probe: int) -> Iterator[Result]:
    """Time to load a probe, and memory of the Spark program, with little and much in warehouse and topic.

    A probe is so many pages; between the first and the last of them come `pages` and `small` captures.
    """
    place = folder / "growth"
    place.mkdir()
    with Kafka(place / "kafka") as kafka, Postgres(place / "postgres") as postgres:
        site = _site(place, kafka, postgres)
        with site.loading() as program:
            load = _Load(site)
            load.add(captures, probe * _PROBES)
            before_s = median(load.probe(probe) for _ in range(_PROBES))
            few, few_mib = load.count, _memory_mib(program)
            load.add(captures, pages)
            load.add(_of_one_coin, small)
            after_s = median(load.probe(probe) for _ in range(_PROBES))
            many_mib = _memory_mib(program)
        ((quotes,),) = site.rows("SELECT count(*) FROM quotes")
    yield Result(
        f"Spark, {probe * COINS:,} rows at {quotes:,} quotes and {load.count:,} captures, against {few:,}",
        after_s / before_s,
        1.5,
        more_is_better=False,
        said=f"{after_s:.2f} s against {before_s:.2f} s",
    )
    yield Result(
        f"Spark's memory at {load.count:,} captures, against {few:,}",
        many_mib / few_mib,
        1.5,
        more_is_better=False,
        said=f"{many_mib:,.0f} MiB against {few_mib:,.0f} MiB, driver, Java and workers",
    )


class _Load:
    """Puts captures into the topic, and waits until they are rows."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.count = 0

    def add(self, made: Callable[[int, int], Iterator[Capture]], count: int) -> None:
        """So many captures more."""
        first = self.count
        messages = (
            encode(Held(number, capture), _LAKE)
            for number, capture in enumerate(made(count, first), start=first + 1)
        )
        while some := list(islice(messages, _PUBLISHED_AT_ONCE)):
            self._site.publish(*some)
        self.count += count
        while self._site.loaded() < self.count:
            time.sleep(_LOOK_AGAIN_S)

    def probe(self, count: int) -> float:
        """Seconds from the first batch's start to the last one's commit, for so many pages, by their record.

        Not the sum of what each took: a batch is staged while the one before it is closed.
        """
        first = self.count
        self.add(captures, count)
        ((seconds,),) = self._site.rows(
            "SELECT extract(epoch FROM max(committed_at) - min(started_at)) "
            f"FROM batches WHERE first_position > {first}"
        )
        return float(seconds)


def _of_one_coin(count: int, first: int) -> Iterator[Capture]:
    for capture in captures(count, first):
        body = capture.body
        yield replace(capture, body=body[: body.index(b',{"id":"')] + b"]")


def _site(folder: Path, kafka: Kafka, postgres: Postgres) -> Site:
    site = Site.made(folder, kafka, postgres, Spark(fetch.spark(), fetch.jars("spark")))
    prepare(site.dsn, ())
    return site


def _is_readable(session: psycopg.Connection[tuple[int]], capture: UUID) -> bool:
    asked = session.execute("SELECT 1 FROM coinlake.loaded_captures WHERE capture_id = %s", [capture])
    return asked.fetchone() is not None


def _memory_mib(program: Process) -> float:
    """The most that a program and all processes below it have held, each at its time."""
    peaks_mib = []
    for process in family(program.pid):
        with suppress(ProcessLookupError):  # a worker that was idle has ended meanwhile
            peaks_mib.append(peak_mib(process))
    return sum(peaks_mib)
