"""The producer's mark moves by compare-and-set, and stays moved."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo import MongoClient

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.positions import Mark, Positions
from coinlake_lake.mongo_positions import MongoPositions
from servers.fixtures import mongo_replica_set  # noqa: F401
from servers.mongod import Mongo

LAKE = UUID("0190a000-0000-7000-8000-00000000000a")
TOPIC = "coinlake.captures"


@pytest.fixture
def client(mongo_replica_set: Mongo) -> Iterator[MongoClient[dict[str, Any]]]:  # noqa: F811
    with MongoClient[dict[str, Any]](mongo_replica_set.uri, serverSelectionTimeoutMS=2_000) as client:
        yield client


@pytest.fixture
def database() -> str:
    return f"test-{uuid4()}"


@pytest.fixture
def positions(client: MongoClient[dict[str, Any]], database: str) -> Positions:
    return MongoPositions(client, database, LAKE, TOPIC)


def test_at_first_there_is_no_mark(positions: Positions) -> None:
    assert positions.read() == Mark()


def test_the_mark_moves_from_where_it_is(positions: Positions) -> None:
    assert positions.move(Mark(), Mark(0, "a"))
    assert positions.move(Mark(0, "a"), Mark(7, "a"))
    assert positions.move(Mark(7, "a"), Mark(3, "b"))
    assert positions.read() == Mark(3, "b")


@pytest.mark.parametrize("before", [Mark(), Mark(6, "a"), Mark(7, "b"), Mark(8, "a")])
def test_the_mark_moves_from_nowhere_else(positions: Positions, before: Mark) -> None:
    positions.move(Mark(), Mark(7, "a"))
    assert not positions.move(before, Mark(9, "a"))
    assert positions.read() == Mark(7, "a")


def test_each_lake_and_topic_has_a_mark_of_its_own(
    client: MongoClient[dict[str, Any]], database: str, positions: Positions
) -> None:
    positions.move(Mark(), Mark(7, "a"))
    assert MongoPositions(client, database, uuid4(), TOPIC).read() == Mark()
    assert MongoPositions(client, database, LAKE, "another").read() == Mark()
    assert MongoPositions(client, database, LAKE, TOPIC).read() == Mark(7, "a")


def test_of_those_who_move_it_at_once_one_succeeds(positions: Positions) -> None:
    with ThreadPoolExecutor(8) as pool:
        for position in range(20):
            before = positions.read()
            moved = pool.map(lambda who: positions.move(before, Mark(position + 1, f"{who}")), range(8))  # noqa: B023
            assert sum(moved) == 1


def test_without_a_server_it_is_tried_again() -> None:
    with (
        MongoClient[dict[str, Any]]("mongodb://127.0.0.1:1/", serverSelectionTimeoutMS=100) as client,
        pytest.raises(TryAgain, match="cannot keep the producer's position now"),
    ):
        MongoPositions(client, "coinlake", LAKE, TOPIC).read()


def test_without_the_right_it_says_what_to_check(mongo_replica_set: Mongo) -> None:  # noqa: F811
    uri = mongo_replica_set.uri_of("nobody", "very-secret")
    with MongoClient[dict[str, Any]](uri) as stranger, pytest.raises(FixConfiguration) as refused:
        MongoPositions(stranger, "coinlake", LAKE, TOPIC).read()
    assert "Check the login in lake.url" in str(refused.value)
    assert "very-secret" not in str(refused.value)
