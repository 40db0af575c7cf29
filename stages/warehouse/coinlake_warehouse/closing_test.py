"""Batches from a bus, staged by tasks and closed in one transaction, on a real server."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa
import pytest

from coinlake.errors import TryAgain
from coinlake.model import REJECTS, Decoded, Held, capture_batch
from coinlake.warehouse import Loaded
from coinlake_warehouse.attempts import Attempt, Stager
from coinlake_warehouse.closing import BusLoader, Stretch, Topic
from coinlake_warehouse.conftest import LAKE, MIDNIGHT, batch, decoded, held, quote, reject, rows
from coinlake_warehouse.load import PostgresWarehouse
from coinlake_warehouse.reading import Reader

TOPIC = Topic("coinlake.captures", "an id")
UNREADABLE = pa.schema(
    [
        *REJECTS,
        *(pa.field(name, pa.string()) for name in ("source", "dataset", "lake_id")),
        pa.field("position", pa.int64()),
        *(pa.field(name, pa.timestamp("us", "UTC")) for name in ("slot", "received_at")),
    ]
)
TABLES = ("quotes", "latest_quotes", "candles", "dead_letters", "loaded_captures", "position")


def refined(captures: Sequence[Held]) -> Decoded:
    """Of each capture the price of three assets, and a row that is refused."""
    assets = ("bitcoin", "ether", "Ξ\n“odd”")
    return decoded(
        [
            quote(one, f"/{n}", asset=asset, price=f"{one.position}.{n}0")
            for one in captures
            for n, asset in enumerate(assets)
        ],
        [reject(one, "/9", rejected=one.position) for one in captures],
    )


class Captures:
    """Refines the captures of a test by their ids, as a decoder would by their bodies."""

    def __init__(self, *captures: Held) -> None:
        self._held = {str(one.capture.id): one for one in captures}

    def __call__(self, captures: pa.RecordBatch) -> Decoded:
        return refined([self._held[id_] for id_ in captures.column("capture_id").to_pylist()])


def received(captures: Sequence[Held], lake_id: UUID = LAKE) -> pa.RecordBatch:
    """Captures as they come from a bus."""
    batch = capture_batch(one.capture for one in captures)
    return batch.append_column("lake_id", pa.repeat(str(lake_id), len(captures))).append_column(
        "position", pa.array([one.position for one in captures], pa.int64())
    )


CAPTURES = [held(position, minute=3 * position) for position in range(1, 13)]
ANEW = [held(13, minute=6), held(14, minute=6), held(15, minute=30)]
"""Other answers about moments of which captures 2 and 10 tell, too."""


@pytest.fixture
def stager(dsn: str) -> Iterator[Stager]:
    stager = Stager(dsn, Captures(*CAPTURES, *ANEW))
    yield stager
    stager.close()


@pytest.fixture
def other_side(dsn: str) -> Iterator[Stager]:
    stager = Stager(dsn, Captures(*CAPTURES, *ANEW), side=1)
    yield stager
    stager.close()


@pytest.fixture
def loader(dsn: str) -> Iterator[BusLoader]:
    loader = BusLoader(dsn, TOPIC)
    yield loader
    loader.close()


def load(loader: BusLoader, attempts: Sequence[Attempt], *stretches: Stretch, **more: Any) -> Loaded | None:
    return loader.load(attempts, stretches, started_at=MIDNIGHT, traceparent="", **more)


def standing(dsn: str) -> dict[str, list[Any]]:
    """All rows that people read, but for the times of loading and the numbers of batches."""
    found = {
        name: rows(dsn, f"SELECT to_jsonb(t) FROM {name} AS t ORDER BY to_jsonb(t)::text") for name in TABLES
    }
    for row in (row for table in found.values() for row in table):
        for name in ("rejected_at", "batch_id"):
            row.pop(name, None)
    return {name: sorted(table, key=str) for name, table in found.items()}


@pytest.mark.parametrize("seed", range(8))
def test_tasks_in_any_order_and_number_load_what_the_embedded_loader_loads(
    dsn: str, fresh: Any, stager: Stager, loader: BusLoader, seed: int
) -> None:
    other, captures = fresh(), [*CAPTURES, *ANEW]
    with PostgresWarehouse(other) as embedded:
        embedded.load(replace(batch(captures), decoded=refined(captures)))
    dice = random.Random(seed)
    left, offset = dice.sample(captures, len(captures)), 0
    while left:
        loader.begin()
        count = dice.randint(1, 6)
        taken, left = left[:count], left[count:]
        cut = dice.randint(0, len(taken))
        again = dice.sample(captures, 2)  # messages that came twice
        attempts = [stager.stage(received(part)) for part in (taken[:cut], taken[cut:], again) if part]
        stager.stage(received(captures[:3]))  # an attempt that failed after staging: it does not count
        load(loader, attempts, Stretch(0, offset, offset + count))
        offset += count
    assert standing(dsn) == standing(other)
    assert loader.offsets() == {0: offset}


@pytest.mark.parametrize("seed", range(4))
def test_batches_staged_while_the_one_before_is_closed_load_what_the_embedded_loader_loads(
    dsn: str, fresh: Any, stager: Stager, other_side: Stager, loader: BusLoader, seed: int
) -> None:
    other, captures = fresh(), [*CAPTURES, *ANEW]
    with PostgresWarehouse(other) as embedded:
        embedded.load(replace(batch(captures), decoded=refined(captures)))
    dice = random.Random(seed)
    left = dice.sample(captures, len(captures))
    loader.begin()
    staged = [stager.stage(received(left[:2]))]
    for side, offset in zip(cycle((0, 1)), range(0, len(left), 2), strict=False):
        following: list[Attempt] = []
        meanwhile = partial(_stage_onto, following, (other_side, stager)[side], left[offset + 2 : offset + 4])
        taken = len(left[offset : offset + 2])
        load(loader, staged, Stretch(0, offset, offset + taken), side=side, staged=meanwhile)
        staged = following
    assert standing(dsn) == standing(other)
    assert loader.offsets() == {0: len(captures)}


def _stage_onto(attempts: list[Attempt], stager: Stager, captures: Sequence[Held]) -> None:
    """Stages captures in a session of its own, while another's closing transaction is open."""
    if captures:
        attempts.append(stager.stage(received(captures)))


def test_a_side_is_empty_once_its_batch_is_closed_and_the_other_is_left_as_it_was(
    dsn: str, stager: Stager, other_side: Stager, loader: BusLoader
) -> None:
    def staged_on(*tables: str) -> list[int]:
        return [rows(dsn, f"SELECT count(*) FROM {table}")[0] for table in tables]

    loader.begin()
    attempts = [stager.stage(received(CAPTURES[:6]))]
    other_side.stage(received(CAPTURES[6:]))
    load(loader, attempts, Stretch(0, 0, 6))
    assert staged_on("staging_captures", "staging_quotes", "staging_spans", "staging_rejects") == [0] * 4
    assert staged_on("staging_b_captures", "staging_b_quotes", "staging_b_rejects") == [6, 18, 6]
    loader.begin()
    assert staged_on("staging_b_captures", "staging_b_quotes", "staging_b_rejects") == [0] * 3


def test_a_batch_is_counted_and_recorded_with_its_captures(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    attempts = [stager.stage(received(CAPTURES[:2])), stager.stage(received(CAPTURES[2:3]))]
    loaded = load(loader, attempts, Stretch(0, 0, 2), Stretch(1, 0, 1))
    assert loaded == Loaded(batch_id=1, quotes_read=9, quotes_new=9, rejects=3, candles=12)
    assert rows(dsn, "SELECT first_position, last_position, captures FROM batches") == [(1, 3, 3)]
    assert rows(dsn, "SELECT position, batch_id FROM loaded_captures ORDER BY 1") == [(1, 1), (2, 1), (3, 1)]


def test_the_position_is_the_last_one_without_a_hole_before_it(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    positions = []
    for offset, place in enumerate((1, 3, 4, 0, 2)):
        loader.begin()
        load(loader, [stager.stage(received([CAPTURES[place]]))], Stretch(0, offset, offset + 1))
        positions += rows(dsn, "SELECT position FROM position")
    assert positions == [0, 0, 0, 2, 5]


def test_a_crash_before_the_commit_leaves_nothing_and_the_batch_is_made_again(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    attempt = stager.stage(received(CAPTURES))

    def crash() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(loader, [attempt], Stretch(0, 0, 12), staged=crash)
    assert not any(standing(dsn).values())
    assert loader.offsets() == {}
    assert load(loader, [attempt], Stretch(0, 0, 12)) is not None
    assert len(standing(dsn)["loaded_captures"]) == 12


def test_a_batch_that_was_loaded_changes_nothing(dsn: str, stager: Stager, loader: BusLoader) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES))], Stretch(0, 0, 12))
    before = standing(dsn)
    loader.begin()
    assert load(loader, [stager.stage(received(CAPTURES))], Stretch(0, 0, 12)) is None
    assert standing(dsn) == before
    assert rows(dsn, "SELECT count(*) FROM batches") == [1]


def test_a_batch_begun_before_the_offsets_is_loaded_and_they_never_go_back(
    stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:6]))], Stretch(0, 0, 6), Stretch(1, 0, 9))
    loader.begin()
    assert load(loader, [stager.stage(received(CAPTURES))], Stretch(0, 0, 12), Stretch(1, 0, 5))
    assert loader.offsets() == {0: 12, 1: 9}


def test_a_batch_that_leaves_messages_out_is_told_where_to_go_on(stager: Stager, loader: BusLoader) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:6]))], Stretch(0, 0, 6))
    loader.begin()
    attempt = stager.stage(received(CAPTURES[8:]))
    with pytest.raises(TryAgain, match=r"stands at offset 6 of partition 0 .* begins at 8"):
        load(loader, [attempt], Stretch(0, 8, 12))


def test_over_messages_that_are_gone_loading_goes_on(stager: Stager, loader: BusLoader) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:6]))], Stretch(0, 0, 6))
    loader.skip(Stretch(0, 6, 8))
    loader.begin()
    assert load(loader, [stager.stage(received(CAPTURES[8:]))], Stretch(0, 8, 12))
    assert loader.offsets() == {0: 12}


def test_a_topic_made_again_starts_anew(dsn: str, stager: Stager, loader: BusLoader) -> None:
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES[:6]))], Stretch(0, 0, 600))
    loader.close()
    again = BusLoader(dsn, replace(TOPIC, id="another id"))
    assert again.offsets() == {}
    again.begin()
    assert load(again, [stager.stage(received(CAPTURES[6:]))], Stretch(0, 0, 6))
    assert again.offsets() == {0: 6}
    again.close()


def test_rows_that_the_server_lost_are_told_and_nothing_is_loaded(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    loader.begin()
    attempt = stager.stage(received(CAPTURES))
    with psycopg.connect(dsn) as session:
        session.execute("DELETE FROM coinlake.staging_quotes WHERE path = '/1'")
    with pytest.raises(TryAgain, match=r"has 51 of 63 rows that were staged"):
        load(loader, [attempt], Stretch(0, 0, 12))
    assert not any(standing(dsn).values())


def test_sessions_that_the_server_ended_while_they_were_idle_cost_no_batch(
    dsn: str, stager: Stager, other_side: Stager, loader: BusLoader
) -> None:
    loader.begin()
    for one in (stager, other_side):
        one.lake_id()
    ended = rows(
        dsn,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE application_name = 'coinlake stage' AND datname = current_database()",
    )
    assert ended == [True, True]
    load(loader, [stager.stage(received(CAPTURES[:6]))], Stretch(0, 0, 6))
    assert other_side.lake_id() == LAKE
    load(loader, [other_side.stage(received(CAPTURES[6:]))], Stretch(0, 6, 12), side=1)
    assert len(standing(dsn)["loaded_captures"]) == 12


def test_a_capture_that_the_server_refuses_is_one_dead_letter_and_costs_no_other(
    dsn: str, loader: BusLoader
) -> None:
    def with_a_poisoned_one(captures: pa.RecordBatch) -> Decoded:
        found = Captures(*CAPTURES)(captures)
        poisoned = str(CAPTURES[5].capture.id)
        rows = [
            row | {"price": "1e9999999"} if row["capture_id"] == poisoned else row
            for row in found.quotes.to_pylist()
        ]
        return found._replace(quotes=pa.RecordBatch.from_pylist(rows, found.quotes.schema))

    stager = Stager(dsn, with_a_poisoned_one)
    loader.begin()
    load(loader, [stager.stage(received(CAPTURES))], Stretch(0, 0, 12))
    stager.close()
    assert rows(dsn, "SELECT count(*) FROM quotes") == [33]
    letters = rows(dsn, "SELECT capture_id, reasons[1] FROM dead_letters WHERE path = ''")
    assert [capture_id for capture_id, _ in letters] == [CAPTURES[5].capture.id]
    assert letters[0][1].startswith("load_refused: ")
    assert rows(dsn, "SELECT count(*) FROM loaded_captures") == [12]


def test_a_message_that_names_no_capture_is_a_dead_letter_without_a_position(
    dsn: str, stager: Stager, loader: BusLoader
) -> None:
    stranger = reject(
        CAPTURES[0], "", stage="bus", source="", dataset="", slot=MIDNIGHT, received_at=MIDNIGHT
    )
    loader.begin()
    attempt = stager.stage(
        received([]), pa.RecordBatch.from_pylist([stranger | {"lake_id": None, "position": None}], UNREADABLE)
    )
    load(loader, [attempt], Stretch(0, 0, 1))
    assert rows(dsn, "SELECT stage, original FROM dead_letters") == [("bus", b'{"price":-1}')]
    assert rows(dsn, "SELECT first_position, captures FROM batches") == [(0, 1)]
    assert rows(dsn, "SELECT count(*) FROM loaded_captures") == [0]


@pytest.mark.parametrize("order", [1, -1])
def test_a_stranger_at_a_position_shuts_out_no_capture_whoever_comes_first(
    dsn: str, loader: BusLoader, order: int
) -> None:
    stranger = held(1, minute=900)  # claims a position that is another's
    displaced = Held(9, CAPTURES[1].capture)  # and one claims another position for a capture that is real
    stager = Stager(dsn, Captures(*CAPTURES, stranger))
    for offset, part in enumerate([[stranger, displaced], CAPTURES[:3]][::order]):
        loader.begin()
        load(loader, [stager.stage(received(part))], Stretch(0, offset, offset + 1))
    stager.close()
    on_record = set(rows(dsn, "SELECT position, capture_id FROM loaded_captures"))
    assert on_record == {(one.position, one.capture.id) for one in (*CAPTURES[:3], stranger, displaced)}
    assert rows(dsn, "SELECT position FROM position") == [3]
    with Reader(dsn) as reader:
        assert reader.loaded(3) == 3


def test_of_one_batch_both_claims_of_a_capture_are_on_record(dsn: str, loader: BusLoader) -> None:
    displaced = Held(1, CAPTURES[1].capture)
    stager = Stager(dsn, Captures(*CAPTURES))
    loader.begin()
    load(loader, [stager.stage(received([displaced, *CAPTURES[:2]]))], Stretch(0, 0, 3))
    stager.close()
    assert rows(dsn, "SELECT position FROM position") == [2]
    assert rows(dsn, "SELECT count(*) FROM dead_letters") == [2]


def test_of_two_loaders_one_leads_and_the_other_follows_when_it_ends(dsn: str, loader: BusLoader) -> None:
    loader.begin()
    other = BusLoader(dsn, TOPIC)
    with pytest.raises(TryAgain, match="Another program loads the warehouse"):
        other.begin()
    loader.close()
    other.begin()
    other.close()


def test_what_comes_late_or_twice_ends_as_on_time(dsn: str, loader: BusLoader) -> None:
    earlier, later = held(1, 0), held(2, 60)
    same = [quote(later, as_of=MIDNIGHT, price="2"), quote(earlier, as_of=MIDNIGHT, price="1")]
    stager = Stager(dsn, lambda _: decoded(same))
    loader.begin()
    load(loader, [stager.stage(received([later, earlier]))], Stretch(0, 0, 2))
    stager.close()
    assert rows(dsn, "SELECT price::text, fetched_at FROM quotes") == [("1", MIDNIGHT)]
    assert rows(dsn, "SELECT max(close) - min(open) FROM candles") == [0]
