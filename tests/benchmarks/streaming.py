"""Kafka to rows by the Spark program's loading, against Spark's own JDBC sink and against decoding alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from uuid import UUID, uuid4

import psycopg

from benchmarks.pages import COINS, captures
from benchmarks.result import Result, per_s
from coinlake.model import Capture, Held
from coinlake.settings import BusSettings
from coinlake_bus.kafka import Bus
from coinlake_bus.message import encode
from coinlake_bus.writer import BusWriter
from coinlake_warehouse.preparing import prepare
from distributed.site import new_topic
from servers import fetch
from servers.kafka import Kafka
from servers.postgres import Postgres

_NAIVE_TABLE = (Path(__file__).parent / "sql" / "naive_table.sql").read_text(encoding="utf-8")
_LAKE = UUID(int=1)
_PAGES_OF_SLOT = 4
_EMPTY_BATCHES = 40
_SETTINGS = """
profile = "distributed"

[bus]
servers = "{bus.servers}"
topic = "{bus.topic}"

[spark]
master = "{master}"
jars = "{jars}"
batch_captures = {batch}

[warehouse]
dsn = "{dsn}"
"""


def against_rivals(folder: Path, *, pages: int, batch: int, rounds: int) -> Iterator[Result]:
    """Rows/s from the topic to rows with candles, over those of the rivals, who read the same topic.

    One session of Spark goes each way in turn, in batches of so many pages, into a database of its own.
    """
    place = folder / "rivals"
    place.mkdir()
    with Kafka(place / "kafka") as kafka, Postgres(place / "postgres") as postgres:
        bus = _topic_with(kafka, _in_slots(pages))
        settings = _Settings(place, bus, batch)
        taken: dict[str, list[float]] = {"ours": [], "jdbc": [], "bare": []}
        with _session(settings.file(postgres.dsn), place) as ask:
            for number in range(rounds + 1):
                for way in sorted(taken, reverse=number % 2 == 1):
                    seconds = ask(f"{way} {_argument(way, postgres.new_database(), settings)}")
                    if number:  # round 0 warms up
                        taken[way].append(seconds)
    rows = pages * COINS
    for way, said, goal in (
        ("jdbc", "from_json and JDBC append", 2.5),
        ("bare", "bare msgspec in mapInArrow", 0.6),
    ):
        yield Result(
            f"Spark, topic to rows with candles, against {said}",
            median(other / one for one, other in zip(taken["ours"], taken[way], strict=True)),
            goal,
            more_is_better=True,
            said=f"{per_s(rows, median(taken['ours']))} against {per_s(rows, median(taken[way]))}",
        )


def with_cores(folder: Path, *, pages: int, batch: int, rounds: int) -> Result:
    """Rows/s of two tasks at once over those of one at a time, from a topic of three partitions."""
    place = folder / "cores"
    place.mkdir()
    with Kafka(place / "kafka") as kafka, Postgres(place / "postgres") as postgres:
        bus = _topic_with(kafka, _in_slots(pages))
        taken = []
        for cores in (1, 2):
            settings = _Settings(place / f"{cores}", bus, batch, master=f"local[{cores}]")
            with _session(settings.file(postgres.dsn), place / f"{cores}") as ask:
                seconds = [
                    ask(f"ours {_argument('ours', postgres.new_database(), settings)}")
                    for _ in range(rounds + 1)
                ]
            taken.append(median(seconds[1:]))
    one_s, two_s = taken
    return Result(
        "Spark, topic to rows with candles, two tasks at once against one",
        one_s / two_s,
        1.2,
        more_is_better=True,
        said=f"{per_s(pages * COINS, two_s)} against {per_s(pages * COINS, one_s)}",
    )


def empty_batch_s(folder: Path) -> float:
    """Seconds of a micro-batch of Spark that takes one message to a worker, and does nothing with it."""
    place = folder / "empty"
    place.mkdir()
    with Kafka(place / "kafka") as kafka:
        bus = _topic_with(kafka, captures(_EMPTY_BATCHES))
        with _session(
            _Settings(place, bus, batch=1).file("postgresql://nobody@localhost/none"), place
        ) as ask:
            return ask("empty")


class _Settings:
    """Settings files of one topic."""

    def __init__(self, folder: Path, bus: BusSettings, batch: int, master: str = "local[2]") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._bus = bus
        self._batch = batch
        self._master = master
        self._jars = _jars(folder / "jars")

    def file(self, dsn: str) -> Path:
        """A file for this warehouse."""
        file = self._folder / f"{uuid4().hex}.toml"
        file.touch(mode=0o600)
        text = _SETTINGS.format(
            bus=self._bus, master=self._master, jars=self._jars, batch=self._batch, dsn=dsn
        )
        file.write_text(text, encoding="utf-8")
        return file


def _argument(way: str, dsn: str, settings: _Settings) -> str:
    """What a way is told, once the tables it writes to are there."""
    if way == "jdbc":
        with psycopg.connect(dsn) as session:
            session.execute(_NAIVE_TABLE)
        return dsn
    prepare(dsn, ())
    return str(settings.file(dsn))


def _topic_with(kafka: Kafka, made: Iterator[Capture]) -> BusSettings:
    """A new topic of three partitions with these captures."""
    bus = new_topic(kafka)
    acknowledged: list[int] = []
    with BusWriter(bus, Bus(bus).topic(), acknowledged.append) as writer:
        number = 0
        for number, capture in enumerate(made, start=1):
            while not writer.send(encode(Held(number, capture), _LAKE), number):
                writer.poll(0.1)
        while len(acknowledged) < number:
            writer.poll(0.1)
    return bus


def _in_slots(pages: int) -> Iterator[Capture]:
    """Four pages a slot, each with coins of its own."""
    for capture in captures(pages // _PAGES_OF_SLOT):
        for page in range(1, _PAGES_OF_SLOT + 1):
            body = capture.body.replace(b'{"id":"', b'{"id":"%d-' % page)
            yield replace(capture, page=page, body=body)


def _jars(folder: Path) -> Path:
    """The connector's jars and the rival's driver."""
    folder.mkdir()
    for kind in ("spark", "jdbc"):
        for jar in fetch.jars(kind).iterdir():
            (folder / jar.name).symlink_to(jar)
    return folder


@contextmanager
def _session(config: Path, folder: Path) -> Iterator[Callable[[str], float]]:
    """Spark in a process of its own, which is asked to go one of the ways, and says how long it took."""
    path = os.pathsep.join([*map(os.path.abspath, sys.path), str(fetch.spark())])
    command = [sys.executable, "-m", "benchmarks.in_spark", str(config), str(folder)]
    log = folder / "spark.log"
    environment = {**os.environ, "PYTHONPATH": path}
    with (
        log.open("wb") as talk,
        Popen(
            command, stdin=PIPE, stdout=PIPE, stderr=talk, env=environment, text=True, bufsize=1
        ) as process,
    ):
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def answer() -> str:
            if not (line := answers.readline()):
                raise SystemExit(f"Spark failed:\n{log.read_text(errors='replace')[-4000:]}")
            return line.strip()

        def ask(line: str) -> float:
            print(line, file=asked)
            return float(answer())

        try:
            assert answer() == "ready"
            yield ask
        finally:
            asked.close()
