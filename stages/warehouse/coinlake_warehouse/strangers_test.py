"""Captures of another lake, on a real server: dead letters that shut out nothing, or a refused topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from structlog.testing import capture_logs

from coinlake.errors import FixConfiguration, TryAgain
from coinlake.model import Held
from coinlake_warehouse.attempts import Stager
from coinlake_warehouse.closing import BusLoader, Stretch
from coinlake_warehouse.closing_test import CAPTURES, TOPIC, UNREADABLE, Captures, load, received
from coinlake_warehouse.conftest import LAKE, MIDNIGHT, decoded, held, reject, rows
from coinlake_warehouse.preparing import claim
from coinlake_warehouse.verify import Refined, verify

OTHER = UUID(int=2)
STRANGE = [held(position, minute=600 + position) for position in (1, 2)]


def rejected(strange: Sequence[Held]) -> pa.RecordBatch:
    """What the bus makes of captures of another lake, once it is known whose the warehouse is."""
    more = {"source": "", "dataset": "", "slot": MIDNIGHT, "received_at": MIDNIGHT}
    more |= {"lake_id": None, "position": None, "stage": "bus", "reasons": ["another_lake: it is"]}
    made = [
        reject(one, "", capture_id=str(UUID(int=one.position)), original=one.capture.body, **more)
        for one in strange
    ]
    return pa.RecordBatch.from_pylist(made, UNREADABLE)


@pytest.fixture
def stager(dsn: str) -> Iterator[Stager]:
    stager = Stager(dsn, Captures(*CAPTURES, *STRANGE))
    yield stager
    stager.close()


@pytest.fixture
def loader(dsn: str) -> Iterator[BusLoader]:
    loader = BusLoader(dsn, TOPIC)
    yield loader
    loader.close()


def letters(dsn: str) -> list[Any]:
    return rows(dsn, "SELECT original FROM dead_letters WHERE stage = 'bus' ORDER BY original")


def test_a_stager_says_whose_the_warehouse_is(dsn: str, stager: Stager) -> None:
    assert stager.lake_id() is None
    claim(dsn, LAKE)
    claim(dsn, OTHER)
    assert stager.lake_id() == LAKE


def test_among_ours_they_are_dead_letters_with_their_bytes_and_are_told(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    claim(dsn, LAKE)
    loader.begin()
    attempt = stager.stage(received(CAPTURES[:2]), rejected(STRANGE))
    with capture_logs() as logs:
        load(loader, [attempt], Stretch(0, 0, 4))
    assert letters(dsn) == [one.capture.body for one in STRANGE]
    assert rows(dsn, "SELECT position FROM loaded_captures ORDER BY 1") == [1, 2]
    (said,) = (one for one in logs if one["event"] == "load.another_lake")
    assert (said["captures"], said["reason"]) == (2, "another_lake: it is")


def test_on_a_topic_that_was_loaded_before_they_stop_nothing_though_nothing_else_comes(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:2]))], Stretch(0, 0, 2))
    loader.begin()
    assert load(loader, [stager.stage(received([]), rejected(STRANGE))], Stretch(0, 2, 4))
    assert loader.offsets() == {0: 4}
    assert len(letters(dsn)) == 2


def test_a_topic_that_begins_with_nothing_else_is_refused_and_its_offsets_stay(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    claim(dsn, LAKE)
    loader.begin()
    attempt = stager.stage(received([]), rejected(STRANGE))
    with pytest.raises(FixConfiguration, match="histories must not mix"):
        load(loader, [attempt], Stretch(0, 0, 2))
    assert loader.offsets() == {}
    assert letters(dsn) == []


def test_an_empty_warehouse_is_of_the_lake_that_most_captures_are_of(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    attempts = [stager.stage(received(CAPTURES[:3])), stager.stage(received(STRANGE, OTHER))]
    with pytest.raises(TryAgain, match="to be made again"):
        load(loader, attempts, Stretch(0, 0, 5))
    assert stager.lake_id() == LAKE
    assert rows(dsn, "SELECT count(*) FROM loaded_captures") == [0]
    assert loader.offsets() == {}


def test_a_warehouse_that_was_claimed_while_another_s_were_staged_loads_none_of_them(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    attempt = stager.stage(received(STRANGE, OTHER))
    claim(dsn, LAKE)
    with pytest.raises(TryAgain, match="to be made again"):
        load(loader, [attempt], Stretch(0, 0, 2))
    assert rows(dsn, "SELECT count(*) FROM loaded_captures") == [0]


def test_verify_finds_nothing_amiss_with_what_they_left(dsn: str, loader: BusLoader) -> None:
    stager = Stager(dsn, lambda _: decoded())
    claim(dsn, LAKE)
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:2]), rejected(STRANGE))], Stretch(0, 0, 4))
    stager.close()
    assert len(letters(dsn)) == 2
    assert verify(dsn, LAKE, [Refined(CAPTURES[:2], decoded())]).clean
