"""The ordinary feeds and fetcher against Binance replayed, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import msgspec
import pytest

from coinlake import plugins
from coinlake.errors import Refused
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
from coinlake_binance import recordings
from coinlake_binance.decode import INSTRUMENTS, KLINES, TICKER
from coinlake_binance.mimic import BinanceMimic
from coinlake_binance.plugin import Binance
from coinlake_binance.settings import BinanceSettings
from coinlake_binance.synthetic import made_up

ALL = load(recordings.FOLDER)
FETCH = FetchSettings(read_timeout_s=2, answer_timeout_s=4)
[DAY] = [one for one in ALL if "595rows" in one.path.name]
[INFO] = load(recordings.FOLDER / "exchangeInfo")
[MINUTES] = [one for one in ALL if one.params.get("interval") == "1m"]
SUMMER = datetime(2019, 8, 22, 4, tzinfo=UTC)
SPRING = datetime(2020, 5, 6, 5, 10, tzinfo=UTC)
"""A time whose last half hour was recorded by the minute."""


@dataclass
class Venue:
    """Binance, replayed, and all that its feeds are made of."""

    source: Binance
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
        slot = slot_at(at or self.clock.now(), described.cadence)
        return await Feed(*asked, run_id="test").capture(slot)

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
    mimic: BinanceMimic | None = None,
    **given: object,
) -> AsyncIterator[Venue]:
    clock = ReplayClock(at, speed=3600)
    with (
        ReplayServer(answers, mimic or BinanceMimic(), clock, faults=faults) as server,
        State(folder) as state,
    ):
        settings = parse_table(BinanceSettings, {"root": server.root, **given}, "sources.binance")
        async with Fetcher(FETCH, Quota(state), clock) as fetcher:
            yield Venue(Binance(settings, clock), server, fetcher, state, clock)


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


async def test_twenty_one_tickers_come_in_two_calls_with_their_bytes_and_weight(
    tmp_path: Path,
) -> None:
    recorded = rows(DAY.body)[:21]
    symbols = [json.loads(row)["symbol"] for row in recorded]
    async with replayed(tmp_path, SUMMER, symbols=symbols) as venue:
        outcome = await venue.capture(TICKER)
        captures = list(venue.lake.captures.values())
        quotes = venue.decoded().quotes.to_pylist()
    assert (outcome.error, outcome.new) == (None, 2)
    assert [row for capture in captures for row in rows(capture.body)] == recorded
    assert [capture.page for capture in captures] == [1, 2]
    assert [capture.headers["x-mbx-used-weight-1m"] for capture in captures] == ["2", "4"]
    assert [quote["asset"] + quote["quote_currency"].upper() for quote in quotes] == symbols


async def test_what_binance_trades_arrives_byte_for_byte(tmp_path: Path) -> None:
    async with replayed(tmp_path, SUMMER) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert venue.lake.bodies == [INFO.body]
        assert venue.decoded().instruments.num_rows == 595


async def test_a_slot_that_was_missed_leaves_no_hole_in_the_candles(tmp_path: Path) -> None:
    async with replayed(tmp_path, SPRING, symbols=["BTCUSDT"]) as venue:
        for ago in (10, 0):  # the slot between them was missed
            assert (await venue.capture(KLINES, SPRING - timedelta(minutes=ago))).error is None
        decoded = venue.decoded()
    opened = sorted(set(decoded.candles.column("open_time").to_pylist()))
    recorded = [json.loads(row)[0] / 1000 for row in rows(MINUTES.body)]
    assert [moment.timestamp() for moment in opened] == [at for at in recorded if at < SPRING.timestamp()]


async def test_windows_of_the_past_bring_every_recorded_candle_once(tmp_path: Path) -> None:
    [hours] = [one for one in ALL if one.params.get("interval") == "1h"]
    start = datetime(2020, 4, 28, tzinfo=UTC)
    later = datetime(2021, 1, 1, tzinfo=UTC)
    async with replayed(tmp_path, later, symbols=["BTCUSDT"], interval="1h", klines_every="1h") as venue:
        window = (start, start + timedelta(hours=1900))
        asked = list(venue.source.history(KLINES, "BTC", window))
        answers = [await venue.fetcher.fetch(venue.source, request) for request in asked]
    assert len(asked) == 2
    assert [row for answer in answers for row in rows(answer.response.body)] == rows(hours.body)


async def test_an_unknown_symbol_costs_the_slot_and_is_told_with_its_setting(tmp_path: Path) -> None:
    async with replayed(tmp_path, SUMMER, symbols=["BTCUSDT", "NOSUCHUSDT"]) as venue:
        outcome = await venue.capture(TICKER)
    assert isinstance(outcome.error, Refused)
    assert "sources.binance.symbols" in str(outcome.error)
    assert "NOSUCHUSDT" in str(outcome.error)


async def test_the_limit_that_binance_states_keeps_us_below_it(tmp_path: Path) -> None:
    tight = replace(INFO, read=lambda: INFO.body.replace(b'"limit":1200', b'"limit":30'))
    mimic = BinanceMimic(weight_per_minute=30)
    symbols = ["BTCUSDT", "ETHBTC", "LTCBTC", "BNBBTC", "NEOBTC", "QTUMETH"]
    async with replayed(tmp_path, SUMMER, answers=[DAY, tight], mimic=mimic, symbols=symbols) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert (await venue.capture(KLINES)).new == 6
        assert venue.server.calls == 7  # none was refused
        assert venue.clock.now() >= SUMMER + timedelta(minutes=1)


async def test_a_call_over_binances_limit_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    mimic = BinanceMimic(weight_per_minute=20)
    async with replayed(tmp_path, SUMMER, mimic=mimic, symbols=["BTCUSDT"]) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert (await venue.capture(KLINES)).error is None
        assert venue.server.calls == 3
        assert venue.clock.now() >= SUMMER + timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["status", "retry_after_s", "retry_after_none", "truncated", "hang"])
async def test_a_passing_fault_costs_a_retry_and_no_byte(tmp_path: Path, kind: str) -> None:
    async with replayed(tmp_path, SUMMER, Fault(kind, times=1)) as venue:
        assert (await venue.capture(INSTRUMENTS)).error is None
        assert venue.lake.bodies == [INFO.body]


async def test_what_was_made_up_is_marked_from_the_answer_to_the_row(tmp_path: Path) -> None:
    made = made_up((SUMMER + timedelta(days=n), {"BTC": Decimal(10_000 + n)}) for n in range(3))
    given = {"symbols": ["BTC/USDT"], "interval": "1d", "klines_every": "1d"}
    async with replayed(tmp_path, SUMMER + timedelta(days=3), answers=made, mimic=None, **given) as venue:
        for dataset in (TICKER, KLINES):
            assert (await venue.capture(dataset)).error is None
        decoded = venue.decoded()
    assert all(capture.synthetic for capture in venue.lake.captures.values())
    assert decoded.quotes.column("synthetic").to_pylist() == [True]
    assert decoded.candles.column("synthetic").to_pylist() == [True, True]
