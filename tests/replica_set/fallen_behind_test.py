"""What a producer followed is gone when it looks again: the oplog, its mark, or the captures themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pymongo
import pytest
from bson.timestamp import Timestamp

from coinlake.errors import FixConfiguration
from replica_set.scene import DEADLINE_S, Scene, frozen, until
from servers.fixtures import serving
from servers.kafka import Kafka
from servers.mongod import Mongo

CAPTURES = 20
"""That each writer stores before and after a fault."""
_BODY_BYTES = 20_000
_NEEDS_A_PERSON = 3
"""The producer's exit code."""


@pytest.fixture(scope="module")
def small_oplog(request: pytest.FixtureRequest, mongod_program: Path) -> Iterator[Mongo]:
    """A replica set of one whose oplog holds about the last megabyte, or the last second: it forgets at the
    server's checkpoints, of which there is one a second."""
    yield from serving(request, lambda folder: Mongo(folder, oplog_mb=1))


@pytest.fixture
def scene(tmp_path: Path, small_oplog: Mongo, kafka_broker: Kafka) -> Scene:
    """A new lake on the server with the small oplog, and a new topic."""
    return Scene.made(tmp_path, small_oplog, kafka_broker)


@contextmanager
def stopped(scene: Scene) -> Iterator[None]:
    """While this lasts, there is no producer."""
    assert scene.producer.end(DEADLINE_S) == 0
    yield
    scene.start_producer()


@contextmanager
def paused(scene: Scene) -> Iterator[None]:
    """While this lasts, the producer does nothing, and its change stream is open."""
    with frozen(scene.producer.pid):
        yield


@pytest.mark.parametrize("away", [stopped, paused])
def test_an_oplog_that_rolled_over_meanwhile_costs_nothing(
    scene: Scene, small_oplog: Mongo, away: Callable[[Scene], AbstractContextManager[None]]
) -> None:
    with scene.producing():
        with scene.writing(_BODY_BYTES) as writers:
            writers.go_on(CAPTURES)
            until(lambda: scene.published() > 0)
            with away(scene):
                left_at = edge_of_oplog(small_oplog, pymongo.DESCENDING)
                until(lambda: edge_of_oplog(small_oplog, pymongo.ASCENDING) > left_at)
            writers.go_on(CAPTURES)
        scene.prove_whole(writers)


def test_a_dropped_mark_is_made_anew_and_all_is_published_once_more(scene: Scene) -> None:
    with scene.producing():
        with scene.writing() as writers:
            writers.go_on(CAPTURES)
            until(lambda: scene.published() > 0)
            with scene.administering() as database:
                database.positions.drop()
            writers.go_on(CAPTURES)
        scene.prove_whole(writers)


def test_dropped_captures_end_producer_and_writers_with_a_clear_refusal(scene: Scene) -> None:
    with scene.producing(), scene.writing() as writers:
        writers.go_on(CAPTURES)
        until(lambda: scene.published() > 0)
        with scene.administering() as database:
            database.captures.drop()
        until(lambda: writers.refusals and not scene.producer.runs)
        assert scene.producer.end(0) == _NEEDS_A_PERSON
    assert all(isinstance(refusal, FixConfiguration) for refusal in writers.refusals)
    # A writer may have stored one more meanwhile, of which MongoDB makes a collection without an index.
    assert "restore it from a backup" in scene.producer.last_words().lower()


def edge_of_oplog(mongo: Mongo, direction: int) -> Timestamp:
    """When its first or last entry was made."""
    with mongo.wait_for_primary().client() as client:
        (edge,) = client.local["oplog.rs"].find().sort("$natural", direction).limit(1)
    ts = edge["ts"]
    assert isinstance(ts, Timestamp)
    return ts
