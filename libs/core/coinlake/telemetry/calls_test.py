"""What a feed records of its calls, its captures and its slots, against a venue on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from coinlake.settings import Secret
from coinlake.state import State
from coinlake.telemetry import metrics
from coinlake.testing import unruly
from coinlake.testing.feed_bench import NOON, Bench
from coinlake.testing.recorded import Recorded, recorded

KEY = "very-secret-key"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with State(tmp_path) as state:
        yield Bench(state)


@pytest.fixture
def telling() -> Recorded:
    recorded().forget()
    return recorded()


async def test_a_slot_is_one_trace_from_the_call_to_the_stored_capture(
    bench: Bench, telling: Recorded
) -> None:
    async with bench.serve(unruly.whole(b"[1]")) as (server, feed):
        await feed.capture(NOON)
    (capture,) = bench.lake.captures.values()
    (slot,), (fetch,), (get,), (store,) = map(telling.spans, ("capture", "fetch", "GET", "store"))
    assert slot.parent is None
    for inner, outer in ((fetch, slot), (get, fetch), (store, slot)):
        assert inner.parent is not None
        assert inner.parent.span_id == outer.context.span_id
    assert capture.traceparent.split("-")[1:3] == [
        f"{fetch.context.trace_id:032x}",
        f"{fetch.context.span_id:016x}",
    ]
    assert get.kind is SpanKind.CLIENT
    assert dict(get.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "url.full": f"{server.url}/ticks?page=1",
        "http.response.status_code": 200,
        "http.response.body.size": 3,
        "coinlake.source": "plain",
    }
    assert (slot.attributes or {})["coinlake.slot"] == "2026-03-01T12:00:00+00:00"


async def test_throughput_is_counted_by_feed(bench: Bench, telling: Recorded) -> None:
    async with bench.serve(unruly.whole(b"[1]")) as (_, feed):
        await feed.capture(NOON)
        await feed.capture(NOON)
    telling.look()
    feed_of = {"source": "plain", "dataset": "ticks"}
    assert telling.of(metrics.CAPTURES_STORED, **feed_of, new="yes") == 1
    assert telling.of(metrics.CAPTURES_STORED, **feed_of, new="no") == 1
    assert telling.of(metrics.BYTES_STORED, **feed_of) == 3
    assert telling.of(metrics.SLOTS, **feed_of) == 2
    assert telling.of(metrics.HTTP_DURATION, source="plain", http__response__status_code=200) == 2


@pytest.mark.parametrize(
    ("misdeed", "error", "error_type"),
    [
        (unruly.status(404), "refused", "404"),
        (unruly.status(503), "try_again", "503"),
        (unruly.cut_body(), "try_again", "transport"),
        (unruly.whole(b"x" * 1_000_001), "refused", "body"),
    ],
    ids=["404", "503", "cut", "too long"],
)
async def test_an_error_is_counted_by_its_kind_where_it_happens_and_where_it_ends(
    bench: Bench, telling: Recorded, misdeed: unruly.Misdeed, error: str, error_type: str
) -> None:
    async with bench.serve(misdeed) as (_, feed):
        await feed.capture(NOON)
    telling.look()
    assert telling.of(metrics.HTTP_DURATION, error__type=error_type) == 1
    assert telling.of(metrics.SLOTS, source="plain", error=error) == 1
    (get,), (slot,) = telling.spans("GET"), telling.spans("capture")
    assert (get.attributes or {})["error.type"] == error_type
    assert (slot.attributes or {})["error.type"] == error
    assert slot.status.status_code is StatusCode.ERROR


async def test_calls_that_are_made_again_are_counted(bench: Bench, telling: Recorded) -> None:
    async with bench.serve(unruly.status(503), unruly.whole(), attempts=2) as (_, feed):
        assert (await feed.capture(NOON)).error is None
    telling.look()
    assert telling.of(metrics.FETCH_RETRIES, source="plain") == 1
    assert len(telling.spans("GET")) == 2


async def test_a_key_is_in_no_span_also_where_a_plugin_breaks_over_it(
    bench: Bench, telling: Recorded
) -> None:
    def broken(_: object) -> list[object]:
        raise KeyError(KEY)

    keys = {"x-api-key": Secret(KEY)}
    async with bench.serve(unruly.whole(), followed=broken, secret_headers=keys) as (_, feed):
        await feed.capture(NOON)
    shown = "".join(span.to_json() for span in telling.spans("capture") + telling.spans("GET"))
    assert "KeyError" in shown
    assert KEY not in shown
