"""The ordinary feeds and fetcher against Coinbase replayed, over real sockets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from coinlake import plugins
from coinlake.errors import Refused, WaitUntil
from coinlake.feed import CaptureOutcome, Feed
from coinlake.fetch import Fetcher
from coinlake.lake import Lake
from coinlake.model import Decoded, capture_batch
from coinlake.quota import Quota
from coinlake.schedule import slot_at
from coinlake.settings import FetchSettings, parse_table
from coinlake.state import State
from coinlake.testing.clock import ReplayClock
from coinlake.testing.faults import Fault
from coinlake.testing.feed_bench import Listed, MemoryLake
from coinlake.testing.recordings import Recording, load
from coinlake.testing.replay import ReplayServer
from coinlake_coinbase import recordings
from coinlake_coinbase.decode import CANDLES, INSTRUMENTS, STATS, TICKER
from coinlake_coinbase.mimic import CoinbaseMimic
from coinlake_coinbase.plugin import Coinbase
from coinlake_coinbase.settings import CoinbaseSettings
from coinlake_coinbase.synthetic import made_up

ALL = load(recordings.FOLDER)
FETCH = FetchSettings(read_timeout_s=2, answer_timeout_s=4)
[TICKED] = load(recordings.FOLDER / "ticker")
[SUMMED] = load(recordings.FOLDER / "stats")
LISTED = load(recordings.PRODUCTS)
[MINUTES] = [one for one in ALL if one.params.get("granularity") == "60"]
[HOURS] = [one for one in ALL if one.params.get("granularity") == "3600"]
LATER = datetime(2022, 2, 1, 12, tzinfo=UTC)
MORNING = datetime(2020, 3, 20, 4, 30, tzinfo=UTC)
"""A time whose last hours were recorded by the minute."""


@dataclass
class Venue:
    """Coinbase, replayed, and all that its feeds are made of."""

    source: Coinbase
    server: ReplayServer
    fetcher: Fetcher
    state: State
    clock: ReplayClock
    lake: MemoryLake = field(default_factory=MemoryLake)

    async def capture(self, dataset: str, at: datetime | None = None) -> CaptureOutcome:
        """Captures the slot of a moment, or of now, through an ordinary feed."""
        described = self.source.datasets[dataset]
        lake, observe = cast(Lake, self.lake), plugins.load([]).observe
        asked = (self.source, described, self.fetcher, lake, self.state, self.clock, Listed([]), observe)
        feed = Feed(*asked, run_id="test")
        return await feed.capture(slot_at(at or self.clock.now(), described.cadence))

    def decoded(self) -> Decoded:
        """All that was captured, as rows."""
        found = self.source.decode(capture_batch(self.lake.captures.values()))
        assert found.rejects.num_rows == 0
        return found


@asynccontextmanager
async def replayed(
    folder: Path,
    at: datetime,
    *faults: Fault,
    answers: Sequence[Recording] = ALL,
    mimic: CoinbaseMimic | None = None,
    **given: object,
) -> AsyncIterator[Venue]:
    clock = ReplayClock(at, speed=3600)
    with (
        ReplayServer(answers, mimic or CoinbaseMimic(), clock, faults=faults) as server,
        State(folder) as state,
    ):
        settings = parse_table(CoinbaseSettings, {"root": server.root, **given}, "sources.coinbase")
        async with Fetcher(FETCH, Quota(state), clock) as fetcher:
            yield Venue(Coinbase(settings, clock), server, fetcher, state, clock)


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def opened(recording: Recording) -> list[datetime]:
    """When the candles of a recording open, newest first."""
    return [datetime.fromtimestamp(json.loads(row)[0], UTC) for row in rows(recording.body)]


@pytest.mark.parametrize(("dataset", "recording"), [(TICKER, TICKED), (STATS, SUMMED)])
async def test_an_answer_arrives_byte_for_byte_and_knows_its_product(
    tmp_path: Path, dataset: str, recording: Recording
) -> None:
    product = (recording.endpoint or "").split("/")[2].upper()
    async with replayed(tmp_path, LATER, products=[product]) as venue:
        assert (await venue.capture(dataset)).error is None
        assert venue.lake.bodies == [recording.body]
        [quote] = venue.decoded().quotes.to_pylist()
    assert f"{quote['asset']}-{quote['quote_currency']}".upper() == product


async def test_each_product_is_a_page_in_the_order_of_the_settings(tmp_path: Path) -> None:
    made = made_up([(LATER, {"BTC": Decimal(38_000), "ETH": Decimal(2_700), "SOL": Decimal(100)})])
    products = ["SOL-USD", "BTC-USD", "ETH-USD"]
    async with replayed(tmp_path, LATER, answers=made, products=products) as venue:
        assert (await venue.capture(TICKER)).new == 3
        captures = list(venue.lake.captures.values())
        assets = venue.decoded().quotes.column("asset").to_pylist()
    assert [capture.page for capture in captures] == [1, 2, 3]
    assert assets == ["SOL", "BTC", "ETH"]


async def test_what_coinbase_trades_arrives_byte_for_byte(tmp_path: Path) -> None:
    async with replayed(tmp_path, LATER) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert venue.lake.bodies == [LISTED[-1].body]
        assert venue.decoded().instruments.num_rows == 429


async def test_slots_that_were_missed_leave_no_hole_in_the_candles(tmp_path: Path) -> None:
    async with replayed(tmp_path, MORNING, products=["BTC-USD"]) as venue:
        for ago in (60, 0):  # the eleven slots between them were missed
            assert (await venue.capture(CANDLES, MORNING - timedelta(minutes=ago))).error is None
        found = set(venue.decoded().candles.column("open_time").to_pylist())
    assert found == {at for at in opened(MINUTES) if MORNING - timedelta(hours=2) <= at < MORNING}


async def test_a_row_before_start_comes_along_and_is_a_candle_once(tmp_path: Path) -> None:
    mimic = CoinbaseMimic(row_before_start=True)
    async with replayed(tmp_path, MORNING, mimic=mimic, products=["BTC-USD"]) as venue:
        assert (await venue.capture(CANDLES)).error is None
        found = Counter(venue.decoded().candles.column("open_time").to_pylist())
    assert min(found) == MORNING - timedelta(minutes=61)
    assert len(found) == 61
    assert set(found.values()) == {1}


async def test_windows_of_the_past_bring_every_recorded_candle_once(tmp_path: Path) -> None:
    start = opened(HOURS)[-1] - timedelta(hours=250)
    given: dict[str, Any] = {"products": ["BTC-USD"], "interval": "1h", "candles_every": "1h"}
    async with replayed(tmp_path, LATER, **given) as venue:
        asked = list(venue.source.history(CANDLES, "BTC", (start, start + timedelta(hours=450))))
        answers = [await venue.fetcher.fetch(venue.source, request) for request in asked]
    assert len(asked) == 2
    found = [row for answer in answers[::-1] for row in rows(answer.response.body)]
    assert found == rows(HOURS.body)


async def test_an_unknown_product_costs_the_slot_and_is_told_with_its_setting(tmp_path: Path) -> None:
    async with replayed(tmp_path, LATER, products=["BTC-USD", "NO-USD"]) as venue:
        outcome = await venue.capture(TICKER)
    assert isinstance(outcome.error, Refused)
    assert "sources.coinbase.products" in str(outcome.error)
    assert "NO-USD" in str(outcome.error)


async def test_more_calls_than_one_burst_are_spread_over_the_time_that_coinbase_allows(
    tmp_path: Path,
) -> None:
    products = [f"A{n}-USD" for n in range(40)]
    made = made_up([(LATER, {product.removesuffix("-USD"): Decimal(7) for product in products})])
    async with replayed(tmp_path, LATER, answers=made, products=products) as venue:
        assert (await venue.capture(TICKER)).new == 40
        assert venue.clock.now() - LATER >= timedelta(seconds=(40 - 13) / 9)


async def test_a_call_over_coinbases_limit_is_made_again(tmp_path: Path) -> None:
    tight = CoinbaseMimic(burst=1)
    made = made_up([(LATER, {"BTC": Decimal(38_000), "ETH": Decimal(2_700)})])
    products = ["BTC-USD", "ETH-USD"]
    async with replayed(tmp_path, LATER, answers=made, mimic=tight, products=products) as venue:
        assert (await venue.capture(TICKER)).new == 2
        assert venue.server.calls > 2


async def test_a_ban_stops_all_datasets(tmp_path: Path) -> None:
    blocked = Fault("status", status=403, times=1, body=b"<html>Forbidden</html>")
    async with replayed(tmp_path, LATER, blocked, products=["BTC-USD"]) as venue:
        assert isinstance((await venue.capture(TICKER)).error, WaitUntil)
        assert isinstance((await venue.capture(STATS)).error, WaitUntil)
        assert venue.server.calls == 1


@pytest.mark.parametrize("kind", ["status", "retry_after_s", "retry_after_none", "truncated", "hang"])
async def test_a_passing_fault_costs_a_retry_and_no_byte(tmp_path: Path, kind: str) -> None:
    async with replayed(tmp_path, LATER, Fault(kind, times=1)) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert venue.lake.bodies == [LISTED[-1].body]


async def test_what_was_made_up_is_marked_from_the_answer_to_the_row(tmp_path: Path) -> None:
    made = made_up((LATER + timedelta(days=n), {"BTC": Decimal(10_000 + n)}) for n in range(3))
    at = LATER + timedelta(days=3, hours=1)
    given: dict[str, Any] = {"products": ["BTC-USD"], "interval": "1d", "candles_every": "1d"}
    async with replayed(tmp_path, at, answers=made, **given) as venue:
        for dataset in (TICKER, CANDLES):
            assert (await venue.capture(dataset)).error is None
        decoded = venue.decoded()
    assert all(capture.synthetic for capture in venue.lake.captures.values())
    assert decoded.quotes.column("synthetic").to_pylist() == [True]
    assert decoded.candles.column("synthetic").to_pylist() == [True, True]
