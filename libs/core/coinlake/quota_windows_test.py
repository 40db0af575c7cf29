"""Limits that a venue states itself, kept to by every process and restart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from coinlake.errors import FixConfiguration, WaitUntil
from coinlake.model import Limits, Response, Window
from coinlake.quota import Quota
from coinlake.state import State

NOON = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
NEXT_MINUTE = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
BINANCE = Limits(windows=(Window(60, 100),), used_weight_header="x-used")


@pytest.fixture
def quota(tmp_path: Path) -> Iterator[Quota]:
    with State(tmp_path) as state:
        yield Quota(state)


def state_windows(quota: Quota, *windows: Window, cost: int = 1, limits: Limits = BINANCE) -> None:
    """One call, in whose answer the venue states its limits."""
    quota.stated(quota.reserve("b", limits, cost, NOON), windows, NOON)


def blocked_until(quota: Quota, now: datetime, cost: int, limits: Limits = BINANCE) -> datetime:
    with pytest.raises(WaitUntil) as caught:
        quota.reserve("b", limits, cost, now)
    return caught.value.until


def test_what_the_venue_states_stands_in_place_of_the_settings(quota: Quota) -> None:
    state_windows(quota, Window(60, 6000))
    quota.reserve("b", BINANCE, 5999, NOON)
    assert blocked_until(quota, NOON, 1) == NEXT_MINUTE


def test_a_stated_limit_may_be_narrower_than_the_settings(quota: Quota) -> None:
    state_windows(quota, Window(60, 2))
    quota.reserve("b", BINANCE, 1, NOON)
    assert blocked_until(quota, NOON, 1) == NEXT_MINUTE


def test_what_was_stated_is_known_to_every_process_and_after_a_restart(quota: Quota, tmp_path: Path) -> None:
    with State(tmp_path) as state:
        other = Quota(state)
        state_windows(quota, Window(60, 20), cost=15)
        assert blocked_until(other, NOON, 6) == NEXT_MINUTE
    with State(tmp_path) as state:
        assert blocked_until(Quota(state), NOON, 6) == NEXT_MINUTE
        Quota(state).reserve("b", BINANCE, 5, NOON)


def test_what_one_venue_states_is_nothing_to_another(quota: Quota) -> None:
    state_windows(quota, Window(60, 2))
    quota.reserve("other", BINANCE, 100, NOON)


def test_a_later_statement_replaces_the_one_before(quota: Quota) -> None:
    state_windows(quota, Window(60, 6000))
    state_windows(quota, Window(60, 3))
    quota.reserve("b", BINANCE, 1, NOON)
    blocked_until(quota, NOON, 1)


@pytest.mark.parametrize("now_in_force", [Window(10, 60), Window(3600, 60), Window(86400, 60)])
def test_windows_of_another_length_lose_nothing_of_what_was_counted(
    quota: Quota, now_in_force: Window
) -> None:
    quota.reserve("b", BINANCE, 49, NOON)
    state_windows(quota, now_in_force)
    quota.reserve("b", BINANCE, 10, NOON)
    blocked_until(quota, NOON, 1)


def test_an_hour_takes_over_the_minutes_counted_before_in_it(quota: Quota) -> None:
    for minute in range(3):
        quota.reserve("b", BINANCE, 100, NOON - timedelta(minutes=3 - minute))
    quota.reserve("b", BINANCE, 100, NOON + timedelta(hours=1, minutes=-1))
    grant = quota.reserve("b", BINANCE, 100, NOON + timedelta(hours=1))
    quota.stated(grant, (Window(3600, 1000),), NOON + timedelta(hours=1))
    # 13:00:20: this hour has seen 100; the minute 12:59 ended with the last hour.
    quota.reserve("b", BINANCE, 900, NOON + timedelta(hours=1))
    blocked_until(quota, NOON + timedelta(hours=1), 1)


def test_settings_that_name_another_length_lose_nothing_either(quota: Quota) -> None:
    quota.reserve("b", BINANCE, 40, NOON)
    changed = Limits(windows=(Window(30, 50),))
    assert blocked_until(quota, NOON, 11, changed) == NOON + timedelta(seconds=10)
    quota.reserve("b", changed, 10, NOON)
    assert blocked_until(quota, NOON, 51, BINANCE) == NEXT_MINUTE


def test_a_call_of_the_old_windows_that_was_never_sent_gives_nothing_to_the_new(quota: Quota) -> None:
    grant = quota.reserve("b", BINANCE, 50, NOON)
    state_windows(quota, Window(10, 60))
    quota.unsent(grant)
    blocked_until(quota, NOON, 60)


def test_the_venue_s_own_count_corrects_the_window_in_force(quota: Quota) -> None:
    grant = quota.reserve("b", BINANCE, 1, NOON)
    quota.stated(grant, (Window(10, 6000), Window(60, 50_000)), NOON)
    quota.answered(grant, Response(200, {"x-used": "5990"}, b"", NOON))
    assert blocked_until(quota, NOON, 11) == NOON + timedelta(seconds=10)
    quota.reserve("b", BINANCE, 10, NOON)


@pytest.mark.parametrize(
    "windows",
    [
        (),
        (Window(60, 0),),
        (Window(60, -5),),
        (Window(0, 6000),),
        (Window(-60, 6000),),
        (Window(60, 6000), Window(10, 0)),
        (Window(60, 10**12),),
        (Window(10**9, 6000),),
        (Window(60, cast(Any, 1.5)),),
        (Window(cast(Any, "60"), 6000),),
        (Window(60, cast(Any, True)),),
        (Window(60, 4),),  # the call that it came with cost 5
    ],
    ids=str,
)
def test_what_no_venue_can_mean_is_logged_and_ignored(quota: Quota, windows: tuple[Window, ...]) -> None:
    with capture_logs() as events:
        state_windows(quota, *windows, cost=5)
    assert [(event["event"], event["source"]) for event in events] == [("quota.windows_ignored", "b")]
    quota.reserve("b", BINANCE, 95, NOON)
    assert blocked_until(quota, NOON, 1) == NEXT_MINUTE


def test_a_statement_is_told_once_and_not_with_every_answer(quota: Quota) -> None:
    with capture_logs() as events:
        for _ in range(3):
            state_windows(quota, Window(60, 6000))
    assert [event["event"] for event in events] == ["quota.windows_stated"]


def test_a_call_heavier_than_a_stated_window_is_a_setting_to_fix(quota: Quota) -> None:
    state_windows(quota, Window(60, 40))
    with pytest.raises(FixConfiguration, match="weight 50 can never be sent where 60 s allow 40"):
        quota.reserve("b", BINANCE, 50, NOON)
