"""Who follows a lake in MongoDB sees every capture once, in order: whoever writes, and whoever is killed."""

from __future__ import annotations

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.connection import Connection

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake.model import Held
from coinlake.settings import Secret
from coinlake.testing.lake_contract import DEADLINE_S, capture, positions, read_until
from coinlake_lake.conftest import NewDatabase
from coinlake_lake.mongo import MongoLake
from servers.mongod import Mongo

# A fork would share the parent's connections.
processes = multiprocessing.get_context("spawn")
PAGES = count()


@given(
    shares=st.lists(st.lists(st.integers(0, 3000), min_size=1, max_size=6), min_size=2, max_size=4),
    at_once=st.integers(1, 5),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_writers_do_at_once_a_follower_sees_each_capture_once_and_in_order(
    database: Secret, shares: list[list[int]], at_once: int
) -> None:
    """`shares`: the sizes of the bodies that each writer appends, one after the other."""
    wanted = [[capture(next(PAGES), body=b"x" * size) for size in sizes] for sizes in shares]
    with MongoLake(database) as lake, MongoLake(database) as other, ThreadPoolExecutor(4) as threads:
        after = start = lake.end()
        begin = threading.Barrier(len(wanted))

        def write(writer: int) -> None:
            begin.wait(DEADLINE_S)
            for one in wanted[writer]:
                (lake if writer % 2 else other).append(one)

        writing = [threads.submit(write, writer) for writer in range(len(wanted))]
        found: list[Held] = []
        while len(found) < sum(map(len, wanted)):
            assert lake.wait(after, DEADLINE_S)
            found += lake.tail(after, captures=at_once, body_bytes=4000)
            after = found[-1].position
        for one in writing:
            one.result(DEADLINE_S)
        assert positions(found) == list(range(start + 1, start + 1 + len(found)))
        for share in wanted:
            assert [one.capture for one in found if one.capture in share] == share


@pytest.mark.parametrize("kind", ["mongo_replica_set", "mongo_standalone"])
def test_a_waiting_follower_is_woken_and_an_idle_one_is_let_go(
    request: pytest.FixtureRequest, new_database: NewDatabase, kind: str
) -> None:
    server: Mongo = request.getfixturevalue(kind)
    with MongoLake(new_database(server)) as lake, ThreadPoolExecutor(1) as threads:
        begun_at = time.monotonic()
        assert lake.wait(0, 0.3) is False
        assert 0.3 <= time.monotonic() - begun_at < DEADLINE_S / 2
        waiting = threads.submit(lake.wait, 0, DEADLINE_S)
        lake.append(capture())
        assert waiting.result(DEADLINE_S / 2) is True
        assert lake.wait(0, DEADLINE_S) is True


def append_until_killed(url: str, writer: int, acknowledge: Connection) -> None:
    with MongoLake(Secret(url)) as lake:
        for number in count():
            lake.append(capture(number, source=f"s{writer}"))
            acknowledge.send(number)


def test_writers_killed_at_any_moment_leave_no_hole_and_nothing_acknowledged_is_lost(
    database: Secret,
) -> None:
    pipes, running = [], []
    for writer in range(3):
        receiver, sender = processes.Pipe(duplex=False)
        process = processes.Process(
            target=append_until_killed, args=(database.get_secret_value(), writer, sender)
        )
        process.start()
        sender.close()
        pipes.append(receiver)
        running.append(process)
    acknowledged = []
    for receiver, process, appends in zip(pipes, running, (5, 20, 60), strict=True):
        acknowledged.append([receiver.recv() for _ in range(appends)])
        process.kill()
        process.join(DEADLINE_S)
    with MongoLake(database) as lake:
        found = read_until(lake, lake.end())
        assert positions(found) == list(range(1, len(found) + 1))
        for writer, numbers in enumerate(acknowledged):
            pages = [one.capture.page for one in found if one.capture.source == f"s{writer}"]
            assert pages == list(range(len(pages)))
            assert set(numbers) <= set(pages)
        assert lake.append(capture())
