"""The producer's mark moves by compare-and-set, and stays moved."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from coinlake.errors import FixConfiguration
from coinlake.positions import Mark, Positions
from coinlake.settings import Secret
from coinlake_lake.mongo_positions import MongoPositions
from servers.mongod import Mongo

LAKE = UUID("0190a000-0000-7000-8000-00000000000a")
TOPIC = "coinlake.captures"


@pytest.fixture
def positions(database: Secret) -> Iterator[Positions]:
    with MongoPositions(database, LAKE, TOPIC) as positions:
        yield positions


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


def test_each_lake_and_topic_has_a_mark_of_its_own(database: Secret, positions: Positions) -> None:
    positions.move(Mark(), Mark(7, "a"))
    with (
        MongoPositions(database, uuid4(), TOPIC) as of_another_lake,
        MongoPositions(database, LAKE, "another") as of_another_topic,
        MongoPositions(database, LAKE, TOPIC) as same,
    ):
        assert of_another_lake.read() == of_another_topic.read() == Mark()
        assert same.read() == Mark(7, "a")


def test_of_those_who_move_it_at_once_one_succeeds(positions: Positions) -> None:
    with ThreadPoolExecutor(8) as pool:
        for position in range(20):
            before = positions.read()
            moved = pool.map(lambda who: positions.move(before, Mark(position + 1, f"{who}")), range(8))  # noqa: B023
            assert sum(moved) == 1


def test_without_the_login_it_says_what_to_check(mongo_replica_set: Mongo) -> None:
    stranger = SecretStr(mongo_replica_set.uri_of("nobody", "very-secret"))
    with MongoPositions(stranger, LAKE, TOPIC) as positions, pytest.raises(FixConfiguration) as refused:
        positions.read()
    assert "in lake.url" in str(refused.value)
    assert "very-secret" not in str(refused.value)
