"""The record of loaded captures, summed up by a real server and held against a lake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from coinlake.account import Differences, Entry, Sighting, take, tallied
from coinlake.errors import FixConfiguration
from coinlake_warehouse.attempts import Stager
from coinlake_warehouse.closing import BusLoader, Stretch, Topic
from coinlake_warehouse.closing_test import Captures, load, received
from coinlake_warehouse.conftest import LAKE, batch, held
from coinlake_warehouse.connection import connect
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.loaded import LoadedCaptures

TOPIC = Topic("coinlake.captures", "an id")
HELD = [held(position, minute=position) for position in range(1, 21)]
ENTRIES = [Entry(one.position, one.capture.id) for one in HELD]

MANY = 100_000
INSERT_MANY = """
    INSERT INTO loaded_captures
    SELECT number, ('00000000-0000-8000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, 's', 'd', now(), 1
    FROM generate_series(1, %s) AS number
"""


class Lake:
    """As much of a lake as an account reads."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def entries(self, after: int, until: int) -> Iterator[Entry]:
        return (one for one in self._entries if after < one.position <= until)


class Topicful:
    """Captures in a topic, all of them read."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def sightings(self) -> Iterator[Sighting]:
        return (Sighting(one, is_waiting=False) for one in self._entries)


def change(dsn: str, statement: LiteralString, *values: Any) -> None:
    with connect(dsn, "damage") as connection:
        connection.execute(statement, values)


@pytest.fixture
def loaded(dsn: str) -> str:
    """A warehouse with all of them."""
    with PostgresWarehouse(dsn) as warehouse:
        warehouse.load(batch(HELD))
    return dsn


def test_the_server_sums_up_as_the_lakes_side_does(loaded: str) -> None:
    far = Entry(2**63 - 1, UUID(int=2**128 - 1))
    below = Entry(-1, UUID(int=7))
    for one in (far, below):
        change(loaded, "INSERT INTO loaded_captures VALUES (%s, %s, 's', 'd', now(), 1)", *one)
    with LoadedCaptures(loaded, LAKE) as captures:
        assert captures.tallies() == tallied([*ENTRIES, far, below])
        assert captures.entries(3, 7) == ENTRIES[3:7]


def test_each_kind_of_damage_is_found_and_named(loaded: str) -> None:
    change(loaded, "DELETE FROM loaded_captures WHERE position = 4")
    change(loaded, "UPDATE loaded_captures SET capture_id = %s WHERE position = 7", UUID(int=5))
    change(loaded, "UPDATE loaded_captures SET position = 99 WHERE position = 12")
    with LoadedCaptures(loaded, LAKE) as captures:
        found = take(Lake(ENTRIES), Topicful(ENTRIES), captures, 20)
    assert found.topic == Differences()
    assert found.warehouse == Differences(
        missing=(ENTRIES[3], ENTRIES[6], ENTRIES[11]),
        strangers=(Entry(7, UUID(int=5)), Entry(99, ENTRIES[11].capture_id)),
    )


def test_a_whole_warehouse_is_in_order_though_the_topic_keeps_nothing(loaded: str) -> None:
    with LoadedCaptures(loaded, LAKE) as captures:
        assert take(Lake(ENTRIES), Topicful([]), captures, 20).clean


def test_offsets_are_read_while_a_loader_leads(dsn: str) -> None:
    loader, stager = BusLoader(dsn, TOPIC), Stager(dsn, Captures(*HELD))
    loader.begin()
    load(loader, [stager.stage(received(HELD[:3]))], Stretch(2, 0, 3))
    with LoadedCaptures(dsn, LAKE) as captures:
        assert captures.offsets(TOPIC) == {2: 3}
        assert captures.offsets(Topic(TOPIC.name, "another id")) == {}
        assert captures.entries(0, 9) == ENTRIES[:3]
    loader.close()
    stager.close()


def test_an_account_changes_nothing(loaded: str) -> None:
    with LoadedCaptures(loaded, LAKE) as captures, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        captures._session.execute("DELETE FROM loaded_captures")


def test_there_is_no_account_with_another_lake(loaded: str) -> None:
    with pytest.raises(FixConfiguration, match="no account between them"):
        LoadedCaptures(loaded, UUID(int=9))


def test_an_empty_warehouse_has_loaded_nothing(dsn: str) -> None:
    with LoadedCaptures(dsn, LAKE) as captures:
        assert captures.tallies() == {}
        assert take(Lake(ENTRIES), Topicful([]), captures, 20).warehouse.missing == tuple(ENTRIES)


def test_of_many_captures_the_lost_are_named(dsn: str) -> None:
    lake = [Entry(n, UUID(int=(0x8000 << 64) + (0x8000 << 48) + n)) for n in range(1, MANY + 1)]
    change(dsn, INSERT_MANY, MANY)
    change(dsn, "DELETE FROM loaded_captures WHERE position = ANY (%s)", [1, 12_345, MANY])
    begun = time.monotonic()
    with LoadedCaptures(dsn, LAKE) as captures:
        found = take(Lake(lake), Topicful(lake), captures, MANY)
    print(f"{MANY} captures in the account: {time.monotonic() - begun:.1f} s")
    assert [one.position for one in found.warehouse.missing] == [1, 12_345, MANY]
