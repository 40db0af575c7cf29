"""A lake with several writers and the producer at work, and what must hold whatever was done to them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from pymongo import MongoClient
from pymongo.database import Database

from coinlake.errors import CoinlakeError, TryAgain
from coinlake.model import Held
from coinlake.settings import BusSettings, Secret
from coinlake.testing.lake_contract import SLOT, capture, positions
from coinlake_bus.message import Received, decode
from coinlake_bus.reader import read_topic
from coinlake_lake.mongo import MongoLake
from coinlake_lake.mongo_positions import MongoPositions
from coinlake_lake.mongo_setup import set_up
from distributed.site import new_topic
from servers.kafka import Kafka
from servers.mongod import Mongo
from servers.process import Process

WRITERS = 3
DEADLINE_S = 120
_PAGES = 2
"""Of each writer: as many keys of messages, whose order must hold."""


@dataclass
class Writers:
    """Appends to the lake, each through a client of its own, until they are told to stop."""

    url: Secret
    body_bytes: int
    acknowledged: list[list[UUID]] = field(default_factory=lambda: [[] for _ in range(WRITERS)])
    """What each of them was told is stored."""
    refusals: list[CoinlakeError] = field(default_factory=list)
    """What ended writers."""
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While this lasts, they write."""
        threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(DEADLINE_S)
                assert not thread.is_alive(), "a writer hangs"

    def go_on(self, each: int) -> None:
        """Waits until each writer has stored so many captures more."""
        wanted = [len(stored) + each for stored in self.acknowledged]
        until(lambda: all(len(stored) >= n for stored, n in zip(self.acknowledged, wanted, strict=True)))

    def _write(self, writer: int) -> None:
        with MongoLake(self.url) as lake:
            number = 0
            while not self._stop.is_set():
                one = capture(
                    number % _PAGES,
                    source=f"venue_{writer}",
                    slot=SLOT + timedelta(minutes=number),
                    body=b"[%d]" % number + b" " * self.body_bytes,
                )
                try:
                    lake.append(one)
                except TryAgain:
                    continue
                except CoinlakeError as refusal:
                    self.refusals.append(refusal)
                    return
                self.acknowledged[writer].append(one.id)
                number += 1


@dataclass(frozen=True)
class Scene:
    """A new lake and a new topic on servers that run, and the producer between them."""

    lake_url: Secret
    bus: BusSettings
    producer: Process

    @classmethod
    def made(cls, folder: Path, mongo: Mongo, kafka: Kafka) -> Scene:
        """Everything but the producer made ready."""
        url = Secret(urlsplit(mongo.uri)._replace(path=f"/lake-{uuid4().hex[:12]}").geturl())
        set_up(url)
        return cls(url, new_topic(kafka), Process(folder, "coinlake-producer"))

    @contextmanager
    def writing(self, body_bytes: int = 200) -> Iterator[Writers]:
        """Writers at work."""
        writers = Writers(self.lake_url, body_bytes)
        with writers.at_work():
            yield writers

    @contextmanager
    def producing(self) -> Iterator[None]:
        """The producer at work; at the end it must stop as it should, unless it ended before."""
        self.start_producer()
        try:
            yield
            if self.producer.runs:
                assert self.producer.end(DEADLINE_S) == 0, self.producer.last_words()
        except BaseException:
            print(self.producer.last_words())
            raise
        finally:
            self.producer.kill()

    def start_producer(self) -> None:
        """Starts it and does not wait for it."""
        settings = {
            "COINLAKE_PROFILE": "distributed",
            "COINLAKE_LAKE__URL": self.lake_url.get_secret_value(),
            "COINLAKE_BUS__SERVERS": self.bus.servers,
            "COINLAKE_BUS__TOPIC": self.bus.topic,
        }
        path = {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        self.producer.launch([sys.executable, "-m", "coinlake_producer.main"], os.environ | path | settings)

    @property
    def database(self) -> str:
        """Name of the lake's database."""
        return urlsplit(self.lake_url.get_secret_value()).path.strip("/")

    @contextmanager
    def administering(self) -> Iterator[Database[dict[str, Any]]]:
        """The lake's database, for who may do anything."""
        with MongoClient[dict[str, Any]](self.lake_url.get_secret_value()) as client:
            yield client[self.database]

    def published(self) -> int:
        """How far the producer's mark has come."""
        with MongoLake(self.lake_url) as lake, self._marks(lake) as marks:
            return marks.read().position

    def wait_until_published(self) -> None:
        """Until the mark is at the lake's end."""
        with MongoLake(self.lake_url) as lake, self._marks(lake) as marks:
            until(lambda: self.producer.runs and _answered(lambda: marks.read().position == lake.end()))

    def prove_whole(self, writers: Writers) -> None:
        """No acknowledged capture is lost, positions have no hole, and the topic has what the lake has."""
        assert writers.refusals == []
        self.wait_until_published()
        with MongoLake(self.lake_url) as lake:
            held = list(lake.scan())
        assert positions(held) == list(range(1, len(held) + 1))
        assert {id_ for ids in writers.acknowledged for id_ in ids} <= {one.capture.id for one in held}
        assert in_order(self._in_topic()) == in_order(held)

    def _in_topic(self) -> Iterator[Held]:
        for placed in read_topic(self.bus):
            received = decode(placed.message)
            assert isinstance(received, Received)
            yield received.held

    def _marks(self, lake: MongoLake) -> MongoPositions:
        return MongoPositions(self.lake_url, lake.id, self.bus.topic)


def in_order(captures: Iterable[Held]) -> dict[tuple[str, int], list[tuple[int, UUID]]]:
    """Positions and ids by what a message's key is made of, each in their order, without repeats."""
    found: dict[tuple[str, int], dict[tuple[int, UUID], None]] = defaultdict(dict)
    for one in captures:
        found[one.capture.source, one.capture.page][one.position, one.capture.id] = None
    return {key: list(places) for key, places in found.items()}


@contextmanager
def frozen(*processes: int) -> Iterator[None]:
    """While this lasts, the processes do nothing, and keep their connections."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def until(holds: Callable[[], object]) -> None:
    """Waits for a condition."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)


def _answered(ask: Callable[[], bool]) -> bool:
    """The answer; False while there is none, as between two primaries."""
    try:
        return ask()
    except TryAgain:
        return False
