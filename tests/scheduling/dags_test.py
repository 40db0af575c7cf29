"""`airflow dags test` on a real metadata database: each DAG's run is one slot, and each end a state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from coinlake.clock import SystemClock
from coinlake.schedule import slot_at
from coinlake.testing.faults import Fault
from coinlake.testing.recordings import load
from coinlake.testing.replay import ReplayServer
from coinlake_coingecko.mimic import CoinGeckoMimic
from coinlake_coingecko.recordings import FOLDER
from scheduling.scene import Scene

pytestmark = pytest.mark.timeout(600)  # the first test of a machine unpacks Airflow

CADENCE = timedelta(days=7)
"""No test outlasts it."""
BAN_S = 14 * 86400


@pytest.fixture(scope="module", autouse=True)
def venue(scene: Scene) -> Iterator[ReplayServer]:
    """CoinGecko as it was recorded, and a venue that has banned us."""
    clock = SystemClock()
    with (
        ReplayServer(load(FOLDER / "coins_markets"), CoinGeckoMimic(), clock) as venue,
        ReplayServer([], CoinGeckoMimic(), clock, faults=[Fault("ban", after_s=BAN_S)]) as banning,
    ):
        scene.sources = {
            "coingecko": {"root": venue.root, "every": "7d"},
            "busy": {"root": banning.root, "every": "7d"},
        }
        scene.configure()
        yield venue


def test_a_run_captures_its_slot_once_and_no_other(scene: Scene, venue: ReplayServer) -> None:
    slot = slot_at(datetime.now(UTC), CADENCE)
    scene.airflow("dags", "test", "capture_coingecko_markets")
    (first,) = scene.airflow.tries("capture_coingecko_markets")
    captured = scene.captured("coingecko")
    assert (first.state, first.slot, {capture.slot for capture in captured}) == ("success", slot, {slot})
    assert venue.calls == len(captured) > 0

    scene.airflow("dags", "test", "capture_coingecko_markets")
    assert [one.state for one in scene.airflow.tries("capture_coingecko_markets")] == ["success"] * 2
    assert (venue.calls, scene.captured("coingecko")) == (len(captured), captured)


def test_a_slot_that_is_over_is_skipped_and_says_why(scene: Scene, venue: ReplayServer) -> None:
    calls = venue.calls
    scene.airflow("dags", "test", "capture_coingecko_markets", "2026-01-05")
    (over,) = (one for one in scene.airflow.tries("capture_coingecko_markets") if one.state == "skipped")
    assert over.slot == datetime(2026, 1, 1, tzinfo=UTC)
    assert "the slot 2026-01-01 00:00:00 UTC has passed" in (over.why_skipped or "")
    assert venue.calls == calls


def test_a_slot_that_a_ban_holds_is_skipped_and_says_why(scene: Scene) -> None:
    scene.airflow("dags", "test", "capture_busy_ticks")
    (held,) = scene.airflow.tries("capture_busy_ticks")
    assert held.state == "skipped"
    assert "banned (HTTP 418); nothing is sent before" in (held.why_skipped or "")
