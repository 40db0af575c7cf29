"""What is recorded of a batch is the same for each engine, and no reason makes series without end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from coinlake.errors import TryAgain
from coinlake.telemetry import batches, metrics, tracing
from coinlake.telemetry.declaring import OTHER
from coinlake.testing.recorded import Recorded, recorded
from coinlake.warehouse import BrokenRule, Loaded

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_RECORDED = "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
LOADED = Loaded(
    batch_id=7,
    quotes_read=9,
    quotes_new=8,
    rejects=2,
    candles=3,
    received={"coingecko": [NOON, NOON - timedelta(seconds=59)], "binance": [NOON]},
    broken_rules={BrokenRule("coingecko", "validate", "price_not_negative"): 2},
)


@pytest.fixture
def telling() -> Recorded:
    recorded().forget()
    return recorded()


def commit(loaded: Loaded = LOADED, kind: batches.Kind = "tail") -> None:
    with tracing.span("batch", links=tracing.links_to([RECORDED, NOT_RECORDED, ""])) as batch:
        batches.committed(
            "spark",
            kind,
            loaded,
            since_ns=time.time_ns(),
            now=NOON + timedelta(seconds=1),
            batch=batch,
            traceparents=[
                RECORDED,
                NOT_RECORDED,
                "",
                "no traceparent at all, but of fifty-five characters .01",
            ],
        )


def test_a_batch_is_counted_by_captures_rows_and_broken_rules(telling: Recorded) -> None:
    commit()
    telling.look()
    of = {"engine": "spark", "kind": "tail"}
    assert telling.of(metrics.LOADED_CAPTURES, **of) == 3
    assert telling.of(metrics.LOADED_ROWS, **of, table="quotes") == 8
    assert telling.of(metrics.LOADED_ROWS, **of, table="candles") == 3
    assert telling.of(metrics.LOADED_ROWS, **of, table="dead_letters") == 2
    assert telling.of(metrics.LOADED_ROWS, **of, table="instruments") == 0
    assert telling.of(metrics.BATCH_DURATION, **of) == 1
    assert telling.of(metrics.LAST_COMMIT, engine="spark") == pytest.approx(time.time(), abs=60)
    assert telling.of(metrics.CAPTURE_DELAY, engine="spark", source="coingecko") == 2
    assert telling.of(metrics.CAPTURE_DELAY, engine="spark", source="binance") == 1
    labels = {"source": "coingecko", "stage": "validate", "rule": "price_not_negative"}
    assert telling.of(metrics.DEAD_LETTERS, **labels) == 2


def test_what_was_replayed_has_no_delay_of_its_own(telling: Recorded) -> None:
    commit(kind="replay")
    telling.look()
    assert telling.of(metrics.CAPTURE_DELAY) == 0
    assert telling.of(metrics.LOADED_CAPTURES, kind="replay") == 3


@pytest.mark.parametrize("rule", ["", "Not A Rule", "x" * 41, "{'a': 1}", "rule\n"])
def test_a_reason_that_begins_with_no_rule_makes_no_series_of_its_own(telling: Recorded, rule: str) -> None:
    commit(Loaded(1, 0, 0, 1, 0, broken_rules={BrokenRule("plain", "a plugin's step", rule): 1}))
    telling.look()
    assert telling.of(metrics.DEAD_LETTERS, source="plain", stage=OTHER, rule=OTHER) == 1


def test_a_batch_that_ends_with_an_error_is_timed_by_its_kind(telling: Recorded) -> None:
    batches.ended("embedded", "tail", since_ns=time.time_ns(), error=TryAgain("away"))
    telling.look()
    assert telling.of(metrics.BATCH_DURATION, engine="embedded", error="try_again") == 1


def test_batch_and_capture_are_joined_both_ways_where_somebody_records_the_trace(telling: Recorded) -> None:
    commit()
    (load,), (batch,) = telling.spans("load"), telling.spans("batch")
    assert tracing.traceparent(None) == ""
    assert load.parent is not None
    assert (f"{load.parent.trace_id:032x}", f"{load.parent.span_id:016x}") == tuple(RECORDED.split("-")[1:3])
    assert [link.context.span_id for link in load.links] == [batch.context.span_id]
    assert [link.context.span_id for link in batch.links] == [load.parent.span_id]
    assert dict(load.attributes or {}) == {"coinlake.batch_id": 7, "coinlake.engine": "spark"}
