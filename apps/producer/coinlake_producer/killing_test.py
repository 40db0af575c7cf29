"""A producer killed at any moment loses nothing; one told to stop ends soon and says nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from coinlake.model import Capture
from coinlake.positions import Mark
from coinlake.settings import BusSettings
from coinlake_bus import producing
from coinlake_bus.kafka import Bus
from coinlake_bus.message import Received, decode
from coinlake_bus.reader import read_topic
from coinlake_lake.sqlite import SqliteLake
from coinlake_producer.serving import exit_code_of, publish_until_told
from servers.kafka import Kafka

DEADLINE_S = 120
CAPTURES = 2_000
PAGES = 7
KILLS = 6
SLOT = datetime(2026, 3, 1, tzinfo=UTC)


class MarkInFile:
    """A mark that outlives its process, in SQLite."""

    def __init__(self, file: Path) -> None:
        self._file = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._file.execute("CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY, position, topic_id)")
        self._file.execute("INSERT OR IGNORE INTO mark VALUES (1, 0, '')")

    def read(self) -> Mark:
        return Mark(*self._file.execute("SELECT position, topic_id FROM mark").fetchone())

    def move(self, before: Mark, after: Mark) -> bool:
        values = (after.position, after.topic_id, before.position, before.topic_id)
        statement = "UPDATE mark SET position = ?, topic_id = ? WHERE position = ? AND topic_id = ?"
        return self._file.execute(statement, values).rowcount == 1

    def close(self) -> None:
        self._file.close()


@dataclass
class Site:
    """A folder with a lake and a mark, and a topic."""

    folder: Path
    bus: BusSettings

    def start(self) -> subprocess.Popen[bytes]:
        """A producer in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", __name__, self.folder, self.bus.servers, self.bus.topic],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def mark(self) -> Mark:
        with closing(MarkInFile(self.folder / "mark.db")) as marks:
            return marks.read()

    def wait_for(self, position: int) -> None:
        end = time.monotonic() + DEADLINE_S
        while self.mark().position < position:
            assert time.monotonic() < end, f"the mark stays at {self.mark().position}"
            time.sleep(0.02)

    def published(self) -> dict[int, list[int]]:
        """The positions in the topic by page, in their order, without repeats."""
        found: dict[int, list[int]] = defaultdict(list)
        for placed in read_topic(self.bus):
            received = decode(placed.message)
            assert isinstance(received, Received)
            found[received.held.capture.page].append(received.held.position)
        return {page: list(dict.fromkeys(positions)) for page, positions in found.items()}


@pytest.fixture
def site(tmp_path: Path, kafka_broker: Kafka) -> Site:
    bus = BusSettings(servers=kafka_broker.bootstrap_servers, topic=f"captures.{uuid4()}", partitions=3)
    Bus(bus).init()
    with SqliteLake(tmp_path / "lake.db") as lake:
        for number in range(CAPTURES):
            lake.append(capture(number))
    return Site(tmp_path, bus)


def capture(number: int) -> Capture:
    return Capture(
        source="venue",
        dataset="markets",
        slot=SLOT,
        page=number % PAGES,
        url="https://venue.example/markets",
        params=(),
        status=200,
        headers={},
        body=f"[{number}]".encode() + b" " * 2_000,
        requested_at=SLOT,
        received_at=SLOT,
        run_id="",
        plugin_version="1",
        traceparent="",
    )


def wanted() -> dict[int, list[int]]:
    by_page: dict[int, list[int]] = defaultdict(list)
    for number in range(CAPTURES):
        by_page[number % PAGES].append(number + 1)
    return by_page


def test_killed_at_random_moments_it_loses_nothing_and_keeps_the_order(site: Site) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(KILLS):
        before = site.mark().position
        program = site.start()
        site.wait_for(before + 1)
        time.sleep(moments.random() * 0.05)  # the moment of a kill: no condition is waited for
        program.kill()
        program.wait()
    assert site.mark().position < CAPTURES
    program = site.start()
    site.wait_for(CAPTURES)
    program.terminate()
    assert program.wait(5) == 0
    assert site.published() == wanted()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_within_two_seconds_and_says_nothing_twice(
    site: Site, number: signal.Signals
) -> None:
    program = site.start()
    site.wait_for(1)
    program.send_signal(number)
    assert program.wait(2) == 0
    mark = site.mark().position
    assert sum(1 for _ in read_topic(site.bus)) == mark
    last = site.start()
    site.wait_for(CAPTURES)
    last.terminate()
    assert last.wait(5) == 0
    assert site.published() == wanted()
    assert sum(1 for _ in read_topic(site.bus)) == CAPTURES


def main(folder: Path, servers: str, topic: str) -> None:
    """A producer of many small steps, so that a kill falls between any two of them."""
    producing.BATCH_CAPTURES = 10
    producing.IN_FLIGHT_BYTES = 30_000
    producing.STORE_EVERY_S = 0
    with SqliteLake(folder / "lake.db") as lake, closing(MarkInFile(folder / "mark.db")) as marks:
        publish_until_told(lake, marks, BusSettings(servers=servers, topic=topic))


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
