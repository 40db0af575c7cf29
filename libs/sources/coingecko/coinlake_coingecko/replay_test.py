"""The ordinary fetcher against CoinGecko replayed, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from coinlake.errors import CoinlakeError, Refused, TryAgain, WaitUntil
from coinlake.fetch import Answer, Fetcher
from coinlake.model import Capture
from coinlake.quota import Quota
from coinlake.settings import FetchSettings, parse_table
from coinlake.state import State
from coinlake.testing.clock import ReplayClock, ReplaySchedule
from coinlake.testing.faults import Fault
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake.testing.synthetic import synthetic_between
from coinlake_coingecko import recordings
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.plugin import MARKETS, CoinGecko
from coinlake_coingecko.settings import CoinGeckoSettings
from coinlake_coingecko.synthetic import MarketsBetween

DAYS = load(recordings.DAILY)
FETCH = FetchSettings(read_timeout_s=2, answer_timeout_s=4, body_limit_bytes=1024 * 1024)


class Polled:
    """CoinGecko and a fetcher that is pointed at a replay of it."""

    def __init__(self, source: CoinGecko, fetcher: Fetcher) -> None:
        self._source = source
        self._fetcher = fetcher

    async def slot(self, slot: datetime) -> list[Answer]:
        """All pages of a slot."""
        found, queue = [], list(self._source.plan(MARKETS, slot))
        for request in queue:
            answer = await self._fetcher.fetch(self._source, request)
            found.append(answer)
            capture = Capture(
                source=self._source.name,
                dataset=MARKETS,
                slot=slot,
                page=request.page,
                url=answer.url,
                params=request.params,
                status=answer.response.status,
                headers=answer.response.headers,
                body=answer.response.body,
                requested_at=answer.requested_at,
                received_at=answer.response.received_at,
                run_id="",
                plugin_version=self._source.version,
                traceparent="",
            )
            queue.extend(self._source.follow(capture))
        return found


@asynccontextmanager
async def polled(
    folder: Path,
    clock: ReplayClock,
    answers: Sequence[Recording],
    *faults: Fault,
    mimic: CoinGeckoMimic | None = None,
    **given: object,
) -> AsyncIterator[Polled]:
    with (
        ReplayServer(answers, mimic or CoinGeckoMimic(), clock, faults=faults) as server,
        State(folder) as state,
    ):
        settings = parse_table(CoinGeckoSettings, {"root": server.root, **given}, "sources.coingecko")
        async with Fetcher(FETCH, Quota(state), clock) as fetcher:
            yield Polled(CoinGecko(settings, clock), fetcher)


def started() -> ReplayClock:
    return ReplayClock(datetime(2024, 10, 15, 1, 30, tzinfo=UTC), speed=3600)


async def test_sixty_recorded_days_arrive_in_order_byte_for_byte(tmp_path: Path) -> None:
    clock = ReplayClock(datetime(2024, 10, 15, tzinfo=UTC), speed=8_640_000)
    schedule = ReplaySchedule(clock, DAYS, timedelta(minutes=3), once=True)
    async with polled(tmp_path, clock, DAYS) as venue:
        answers = [answer async for slot in schedule.slots() for answer in await venue.slot(slot)]
    assert [answer.response.body for answer in answers] == [day.body for day in DAYS]
    for answer, day in zip(answers, DAYS, strict=True):
        assert day.recorded_at
        assert timedelta(0) <= answer.response.received_at - day.recorded_at < timedelta(minutes=1)


@pytest.mark.parametrize("top", [1, 99, 100, 250, 251, 600])
async def test_the_top_coins_come_each_once_however_many_pages_they_take(tmp_path: Path, top: int) -> None:
    [made] = synthetic_between(DAYS[:2], timedelta(hours=20), 1, MarketsBetween(coins=1000))
    clock = ReplayClock(datetime(2024, 10, 15, 22, tzinfo=UTC), speed=3600)
    async with polled(tmp_path, clock, [DAYS[0], made], top=top, calls_per_minute=100) as venue:
        pages = [answer.response for answer in await venue.slot(clock.now())]
    rows = [bytes(row) for page in pages for row in msgspec.json.decode(page.body, type=list[msgspec.Raw])]
    whole = [bytes(row) for row in msgspec.json.decode(made.body, type=list[msgspec.Raw])]
    assert rows == whole[: len(rows)]
    assert top <= len(rows) < top + len(pages)
    assert all(page.headers["x-coinlake-synthetic"] == "1" for page in pages)


async def test_our_limits_keep_us_below_the_venues(tmp_path: Path) -> None:
    clock, mimic = started(), CoinGeckoMimic(calls_per_minute=30)
    async with polled(tmp_path, clock, DAYS, mimic=mimic, calls_per_minute=5) as venue:
        began = clock.now()
        for _ in range(12):
            [answer] = await venue.slot(clock.now())
            assert answer.response.status == 200
    assert clock.now() - began > timedelta(minutes=1)


async def test_a_call_over_the_venues_limit_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    clock, mimic = started(), CoinGeckoMimic(calls_per_minute=1)
    async with polled(tmp_path, clock, DAYS, mimic=mimic, calls_per_minute=50) as venue:
        began = clock.now()
        await venue.slot(began)
        await venue.slot(began)
    assert clock.now() - began >= timedelta(minutes=1)


async def test_a_key_goes_where_the_plan_says_and_is_let_in(tmp_path: Path) -> None:
    mimic = CoinGeckoMimic(plan="demo", key="CG-secret")
    async with polled(tmp_path, started(), DAYS, mimic=mimic, plan="demo", api_key="CG-secret") as venue:
        [answer] = await venue.slot(datetime(2024, 10, 15, tzinfo=UTC))
    assert "CG-secret" not in repr(answer)


async def test_a_wrong_key_is_refused_with_the_setting_to_change_and_not_shown(tmp_path: Path) -> None:
    mimic = CoinGeckoMimic(plan="demo", key="CG-right")
    async with polled(tmp_path, started(), DAYS, mimic=mimic, plan="demo", api_key="CG-wrong") as venue:
        with pytest.raises(Refused, match=r"set sources\.coingecko\.api_key") as refusal:
            await venue.slot(datetime(2024, 10, 15, tzinfo=UTC))
    assert "CG-wrong" not in str(refusal.value)


@pytest.mark.parametrize(
    "kind",
    [
        "status",
        "retry_after_ms",
        "retry_after_s",
        "retry_after_date",
        "retry_after_none",
        "error_under_200",
        "truncated",
        "hang",
        "drip",
    ],
)
async def test_a_passing_fault_costs_a_retry_and_no_byte(tmp_path: Path, kind: str) -> None:
    async with polled(tmp_path, started(), DAYS, Fault(kind, times=1), calls_per_minute=50) as venue:
        [answer] = await venue.slot(datetime(2024, 10, 15, tzinfo=UTC))
    assert answer.response.body == DAYS[0].body


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("ban", times=1), WaitUntil),
        (Fault("redirect", times=1), Refused),
        (Fault("huge", times=1, body_bytes=1024 * 1024 + 1), Refused),
    ],
    ids=lambda given: getattr(given, "kind", ""),
)
async def test_what_no_retry_can_mend_is_said_at_once(
    tmp_path: Path, fault: Fault, error: type[CoinlakeError]
) -> None:
    async with polled(tmp_path, started(), DAYS, fault, calls_per_minute=50) as venue:
        with pytest.raises(error):
            await venue.slot(datetime(2024, 10, 15, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["html_under_200", "cut_json", "invalid_utf8"])
async def test_an_answer_that_makes_no_sense_is_kept_as_it_came(tmp_path: Path, kind: str) -> None:
    async with polled(tmp_path, started(), DAYS, Fault(kind), calls_per_minute=50) as venue:
        [answer] = await venue.slot(datetime(2024, 10, 15, tzinfo=UTC))
    assert answer.response.body != DAYS[0].body


async def test_before_anything_was_recorded_the_venue_is_out_of_service(tmp_path: Path) -> None:
    clock = ReplayClock(datetime(2024, 10, 14, tzinfo=UTC), speed=3600)
    async with polled(tmp_path, clock, DAYS, calls_per_minute=50) as venue:
        with pytest.raises(TryAgain, match="503"):
            await venue.slot(clock.now())
