"""Feeds from a real socket into a lake: what a slot becomes, and what its faults cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from coinlake import plugins
from coinlake.errors import Refused, TryAgain, WaitUntil
from coinlake.feed import MOST_PAGES
from coinlake.model import Capture, Request, Response, Verdict
from coinlake.settings import Secret
from coinlake.state import State
from coinlake.testing import unruly
from coinlake.testing.feed_bench import NOON, Bench, Listed, MemoryLake, Observer
from coinlake.testing.plain_source import TICKS, PlainSource
from coinlake.testing.recorded import recorded

KEY = "k3y-that-nobody-may-see"


class FullLake(MemoryLake):
    """A lake whose disk is full until somebody makes room."""

    full = True

    def append(self, capture: Capture) -> bool:
        if self.full:
            raise TryAgain("The disk is full.")
        return super().append(capture)


class Careless:
    """A plugin that fails at everything it is told."""

    @plugins.hookimpl
    def coinlake_capture_fetched(self, capture: Capture) -> None:
        raise ZeroDivisionError

    @plugins.hookimpl
    def coinlake_capture_stored(self, capture: Capture, new: bool) -> None:
        raise ZeroDivisionError


@pytest.fixture
def bench(tmp_path: Path) -> Iterable[Bench]:
    recorded()  # spans have ids
    with State(tmp_path) as state:
        yield Bench(state)


async def test_a_slot_becomes_a_capture_with_all_that_says_where_it_came_from(bench: Bench) -> None:
    headers = {
        "ETag": "x",
        "CF-Cache-Status": "HIT",
        "X-RateLimit-Remaining": "9",
        "Set-Cookie": "a=b",
        "Server": "s",
    }
    async with bench.serve(unruly.whole(b'[{"a":1.10}]', headers=headers)) as (server, feed):
        outcome = await feed.capture(NOON)
    assert (outcome.slot, outcome.stored, outcome.new, outcome.error) == (NOON, 1, 1, None)
    (capture,) = bench.lake.captures.values()
    assert (capture.source, capture.dataset, capture.slot, capture.page) == ("plain", "ticks", NOON, 1)
    assert (capture.url, capture.params) == (f"{server.url}/ticks?page=1", (("page", "1"),))
    assert (capture.status, capture.body) == (200, b'[{"a":1.10}]')
    assert set(capture.headers) == {"content-type", "etag", "cf-cache-status", "x-ratelimit-remaining"}
    assert (capture.requested_at, capture.received_at) == (NOON, NOON)
    assert (capture.run_id, capture.plugin_version, capture.synthetic) == ("run-1", "1", False)
    assert len(capture.traceparent) == 55


async def test_the_same_answer_of_a_slot_is_stored_once_and_known_again(bench: Bench) -> None:
    async with bench.serve(unruly.whole()) as (_, feed):
        assert (await feed.capture(NOON)).new == 1
        again = await feed.capture(NOON)
    assert (again.stored, again.new) == (1, 0)
    assert len(bench.lake.captures) == 1


async def test_made_up_answers_are_marked(bench: Bench) -> None:
    async with bench.serve(unruly.whole(headers={"X-Coinlake-Synthetic": "1"})) as (_, feed):
        await feed.capture(NOON)
    assert [capture.synthetic for capture in bench.lake.captures.values()] == [True]


async def test_observers_are_told_of_each_capture_in_order(bench: Bench) -> None:
    bench.plugin = observer = Observer()
    async with bench.serve(unruly.whole()) as (_, feed):
        await feed.capture(NOON)
        await feed.capture(NOON)
    (capture_id,) = bench.lake.captures
    assert observer.told == [
        ("fetched", capture_id),
        ("stored", capture_id, True),
        ("fetched", capture_id),
        ("stored", capture_id, False),
    ]


async def test_an_observer_that_fails_costs_no_capture(bench: Bench) -> None:
    bench.plugin = Careless()
    async with bench.serve(unruly.whole()) as (_, feed):
        with capture_logs() as events:
            assert (await feed.capture(NOON)).error is None
    assert [event["event"] for event in events] == [
        "observer.failed",
        "feed.stored",
        "observer.failed",
        "feed.captured",
    ]
    assert len(bench.lake.captures) == 1


def page(number: int) -> Request:
    return Request("/ticks", (("page", str(number)),), page=number)


def followed_to(last: int) -> Callable[[Capture], Iterable[Request]]:
    return lambda capture: [page(capture.page + 1)] if capture.page < last else []


async def test_pages_follow_one_another_in_one_trace(bench: Bench) -> None:
    misdeeds = [unruly.whole(b"[1]"), unruly.whole(b"[2]"), unruly.whole(b"[3]")]
    async with bench.serve(*misdeeds, followed=followed_to(3)) as (_, feed):
        assert (await feed.capture(NOON)).stored == 3
    captures = list(bench.lake.captures.values())
    assert [(capture.page, capture.body) for capture in captures] == [(1, b"[1]"), (2, b"[2]"), (3, b"[3]")]
    trace_ids = {capture.traceparent.split("-")[1] for capture in captures}
    span_ids = {capture.traceparent.split("-")[2] for capture in captures}
    assert (len(trace_ids), len(span_ids)) == (1, 3)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_page_that_leads_back_to_itself_is_refused_whatever_its_number(
    bench: Bench, number: int
) -> None:
    again = replace(page(1), page=number)
    async with bench.serve(unruly.whole(), followed=lambda capture: [again]) as (server, feed):
        outcome = await feed.capture(NOON)
    assert isinstance(outcome.error, Refused)
    assert "leads back to itself" in str(outcome.error)
    assert (outcome.stored, len(server.heads)) == (1, 1)


async def test_pages_without_an_end_are_refused(bench: Bench) -> None:
    def all_at_once(capture: Capture) -> Iterable[Request]:
        return (page(number) for number in range(2, MOST_PAGES + 2))

    async with bench.serve(unruly.whole(), followed=all_at_once) as (_, feed):
        outcome = await feed.capture(NOON)
    assert str(outcome.error) == "/ticks has more than 1000 pages in one slot."


async def test_a_slot_that_fails_keeps_its_pages_and_tells_its_reason(bench: Bench) -> None:
    async with bench.serve(unruly.whole(b"[1]"), unruly.status(404), followed=followed_to(2)) as (_, feed):
        with capture_logs() as events:
            outcome = await feed.capture(NOON)
    assert (outcome.stored, bench.lake.bodies) == (1, [b"[1]"])
    assert isinstance(outcome.error, Refused)
    stored, event = events
    (capture_id,) = bench.lake.captures
    assert (stored["event"], stored["capture_id"]) == ("feed.stored", str(capture_id))
    assert (event["event"], event["source"], event["stored"]) == ("feed.slot_failed", "plain", 1)
    assert "HTTP 404" in event["reason"]
    health = bench.health()
    assert (health.failures, health.last_slot, health.last_success_at) == (1, NOON, None)
    assert health.last_error == str(outcome.error)


@pytest.mark.parametrize(("status", "level"), [(503, "warning"), (429, "warning"), (404, "error")])
async def test_what_passes_by_itself_is_a_warning_and_what_needs_somebody_an_error(
    bench: Bench, status: int, level: str
) -> None:
    async with bench.serve(unruly.status(status)) as (_, feed):
        with capture_logs() as events:
            await feed.capture(NOON)
    assert [event["log_level"] for event in events if event["event"] == "feed.slot_failed"] == [level]


async def test_a_plugin_s_defect_costs_its_slot_and_shows_its_place_but_no_key(bench: Bench) -> None:
    def broken(capture: Capture) -> Iterable[Request]:
        raise KeyError(KEY)

    keys = {"x-api-key": Secret(KEY)}
    async with bench.serve(unruly.whole(), followed=broken, secret_headers=keys) as (_, feed):
        with capture_logs() as events:
            outcome = await feed.capture(NOON)
    assert isinstance(outcome.error, KeyError)
    assert events[-1]["reason"] == "KeyError: '***'"
    assert "in broken" in events[-1]["where"]
    assert KEY not in str(events)
    assert bench.health().last_error == "KeyError: '***'"


async def test_a_key_that_the_venue_echoes_in_its_headers_is_not_captured(bench: Bench) -> None:
    keys = {"x-api-key": Secret(KEY)}
    async with bench.serve(unruly.whole(headers={"ETag": KEY}), secret_headers=keys) as (_, feed):
        await feed.capture(NOON)
    (capture,) = bench.lake.captures.values()
    assert capture.headers["etag"] == "***"


async def test_a_lake_that_fails_costs_the_slot_not_the_feed(bench: Bench) -> None:
    bench.lake = lake = FullLake()
    async with bench.serve(unruly.whole()) as (_, feed):
        assert str((await feed.capture(NOON)).error) == "The disk is full."
        lake.full = False
        assert (await feed.capture(NOON)).stored == 1
    assert (bench.health().failures, bench.health().last_error) == (0, None)


async def test_a_state_that_cannot_be_written_sends_nothing_and_does_not_end_the_feed(bench: Bench) -> None:
    async with bench.serve(unruly.whole()) as (server, feed):
        bench.state._connection.execute("PRAGMA query_only = ON")
        with capture_logs() as events:
            assert isinstance((await feed.capture(NOON)).error, TryAgain)
        assert [event["event"] for event in events].count("state.unwritable") == 2
        assert server.heads == []  # what cannot be counted is not sent
        bench.state._connection.execute("PRAGMA query_only = OFF")
        assert (await feed.capture(NOON)).error is None


async def test_a_feed_runs_through_failures_to_the_end_of_its_schedule(bench: Bench) -> None:
    slots = [NOON + number * TICKS.cadence for number in range(4)]
    misdeeds = [unruly.whole(b"[0]"), unruly.status(404), unruly.html(), unruly.whole(b"[3]")]

    def refuse_html(response: Response) -> Verdict:
        if response.body.startswith(b"<"):
            raise ValueError("not JSON")
        return PlainSource("").judged(response)

    async with bench.serve(*misdeeds, judged=refuse_html, schedule=Listed(slots)) as (_, feed):
        await feed.run(asyncio.Event())
    assert bench.lake.bodies == [b"[0]", b"[3]"]
    assert (bench.health().failures, bench.health().last_slot) == (0, slots[3])


async def test_a_ban_costs_slots_until_it_ends_and_sends_nothing_meanwhile(bench: Bench) -> None:
    slots = [NOON + number * TICKS.cadence for number in range(5)]
    banned = unruly.status(418, {"retry-after": "600"})

    class Paced(Listed):
        async def slots(self) -> AsyncIterator[datetime]:
            for slot in self.given:
                await bench.clock.sleep_until(slot)
                yield slot

    async with bench.serve(banned, unruly.whole(), schedule=Paced(slots)) as (server, feed):
        outcome = await feed.capture(NOON)
        assert isinstance(outcome.error, WaitUntil)
        await feed.run(asyncio.Event())
    # 12:00 to 12:06 fail at once; 12:09 waits for the ban's end within its own three minutes
    assert [capture.slot for capture in bench.lake.captures.values()] == slots[3:]
    assert len(server.heads) == 3


async def test_a_schedule_that_fails_is_not_hidden(bench: Bench) -> None:
    class Broken(Listed):
        async def slots(self) -> AsyncIterator[datetime]:
            raise ZeroDivisionError
            yield NOON

    async with bench.serve(unruly.whole(), schedule=Broken([])) as (_, feed):
        with pytest.raises(ZeroDivisionError):
            await feed.run(asyncio.Event())


async def test_a_slot_is_given_up_when_the_next_one_is_worth_more(bench: Bench) -> None:
    async with bench.serve(unruly.status(500), attempts=100) as (server, feed):
        outcome = await feed.capture(NOON)
    assert isinstance(outcome.error, TryAgain)
    assert bench.clock.now() <= NOON + TICKS.cadence + timedelta(seconds=1)
    assert len(server.heads) < 20
