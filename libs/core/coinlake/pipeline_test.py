"""A long tail is refined one batch ahead of loading, and nothing but time depends on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pyarrow as pa
import pytest

from coinlake import plugins
from coinlake.errors import TryAgain
from coinlake.lake import Lake
from coinlake.model import QUOTES, REJECTS, Capture, Decoded, Held
from coinlake.pipeline import Pipeline
from coinlake.refining import Refinery
from coinlake.settings import RefineSettings
from coinlake.testing.stopped_clock import StoppedClock
from coinlake.warehouse import Batch, Loaded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMEOUT_S = 10
LAKE = UUID(int=1)


def held(position: int) -> Held:
    return Held(
        position,
        Capture("plain", "ticks", NOON, 1, "", (), 200, {}, b"%d" % position, NOON, NOON, "run", "1", ""),
    )


@dataclass
class Tail:
    """A lake as far as the tail goes."""

    captures: list[Held]
    id: UUID = LAKE
    readable_up_to: int = 9

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        if after >= self.readable_up_to:
            raise TryAgain("the lake's disk is away")
        return [one for one in self.captures if one.position > after][:captures]


@dataclass
class Shelf:
    """A warehouse that remembers which captures it was given."""

    at: int = 0
    loaded: list[int] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def position(self, lake_id: UUID) -> int:
        return self.at

    def load(self, batch: Batch, *, staged: Callable[[], None] = lambda: None) -> Loaded:
        self.meanwhile()
        self.loaded += [one.position for one in batch.captures]
        self.at = self.loaded[-1]
        return Loaded(1, 0, 0, 0, 0)


class Refined:
    """A decoder that tells which bodies it has seen."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.grew = threading.Condition()

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        with self.grew:
            self.bodies += captures.column("body").to_pylist()
            self.grew.notify_all()
        return Decoded(*(pa.RecordBatch.from_pylist([], schema) for schema in (QUOTES, REJECTS)))


@pytest.fixture
def lake() -> Tail:
    return Tail([held(position) for position in range(1, 7)])


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def refined() -> Refined:
    return Refined()


@pytest.fixture
def pipeline(lake: Tail, shelf: Shelf, refined: Refined) -> Pipeline:
    return Pipeline(
        cast(Lake, lake),
        shelf,
        Refinery({"plain": refined.decode}, []),
        RefineSettings(batch_captures=2),
        clock=StoppedClock(NOON),
        observe=plugins.load([], installed=False).observe,
    )


def test_the_next_batch_is_refined_while_this_one_is_loaded(
    pipeline: Pipeline, shelf: Shelf, refined: Refined
) -> None:
    def wait_for_the_next() -> None:
        with refined.grew:
            assert refined.grew.wait_for(lambda: b"4" in refined.bodies, TIMEOUT_S)

    shelf.meanwhile = wait_for_the_next
    pipeline.step()
    assert shelf.loaded == [1, 2]


def test_each_capture_is_refined_once_and_loaded_in_order(
    pipeline: Pipeline, shelf: Shelf, refined: Refined
) -> None:
    pipeline.catch_up()
    assert shelf.loaded == [1, 2, 3, 4, 5, 6]
    assert refined.bodies == [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_what_was_refined_ahead_is_dropped_when_another_program_has_loaded_it(
    pipeline: Pipeline, shelf: Shelf
) -> None:
    pipeline.step()
    shelf.at = 3
    pipeline.catch_up()
    assert shelf.loaded == [1, 2, 4, 5, 6]


def test_a_load_that_fails_is_tried_again_with_the_same_captures(pipeline: Pipeline, shelf: Shelf) -> None:
    def fail() -> None:
        raise TryAgain("the warehouse is away")

    shelf.meanwhile = fail
    with pytest.raises(TryAgain):
        pipeline.step()
    shelf.meanwhile = lambda: None
    pipeline.catch_up()
    assert shelf.loaded == [1, 2, 3, 4, 5, 6]


def test_a_lake_that_cannot_be_read_ahead_costs_the_present_batch_nothing(
    pipeline: Pipeline, lake: Tail, shelf: Shelf
) -> None:
    lake.readable_up_to = 2
    pipeline.step()
    assert shelf.loaded == [1, 2]
    lake.readable_up_to = 9
    pipeline.catch_up()
    assert shelf.loaded == [1, 2, 3, 4, 5, 6]
