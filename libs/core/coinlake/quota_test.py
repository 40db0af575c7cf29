"""What a venue allows, kept to by threads, processes and restarts."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration, WaitUntil
from coinlake.model import Limits, Response, Window
from coinlake.quota import LONGEST_HOLD_S, Quota, month_end, month_start
from coinlake.state import State

NOON = datetime(2026, 3, 1, 12, 0, 20, tzinfo=UTC)
NEXT_MINUTE = datetime(2026, 3, 1, 12, 1, tzinfo=UTC)
FIVE_A_MINUTE = Limits(windows=(Window(60, 5),))
DEMO = Limits(credits_per_month=3)
BINANCE = Limits(windows=(Window(60, 6000),), used_weight_header="x-mbx-used-weight-1m")


@pytest.fixture
def quota(tmp_path: Path) -> Iterator[Quota]:
    with State(tmp_path) as state:
        yield Quota(state)


def answer(status: int = 200, at: datetime = NOON, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, b"", at)


def blocked_until(quota: Quota, limits: Limits, now: datetime, cost: int = 1) -> datetime:
    with pytest.raises(WaitUntil) as caught:
        quota.reserve("g", limits, cost, now)
    return caught.value.until


def test_a_full_window_waits_for_the_next_one(quota: Quota) -> None:
    for _ in range(5):
        quota.reserve("g", FIVE_A_MINUTE, 1, NOON)
    assert blocked_until(quota, FIVE_A_MINUTE, NOON) == NEXT_MINUTE
    quota.reserve("g", FIVE_A_MINUTE, 1, NEXT_MINUTE)


def test_a_call_takes_its_whole_weight(quota: Quota) -> None:
    quota.reserve("g", FIVE_A_MINUTE, 3, NOON)
    assert blocked_until(quota, FIVE_A_MINUTE, NOON, cost=3) == NEXT_MINUTE
    quota.reserve("g", FIVE_A_MINUTE, 2, NOON)


def test_every_window_is_kept_to(quota: Quota) -> None:
    limits = Limits(windows=(Window(1, 2), Window(60, 3)))
    for second in (0, 0, 1):
        quota.reserve("g", limits, 1, NOON + timedelta(seconds=second))
    assert blocked_until(quota, limits, NOON + timedelta(seconds=2)) == NEXT_MINUTE


def test_a_week_long_window_is_not_forgotten_within_it(quota: Quota) -> None:
    limits = Limits(windows=(Window(7 * 86400, 1),))
    thursday = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(weeks=2900)  # aligned weeks start on Thursdays
    quota.reserve("g", limits, 1, thursday)
    assert blocked_until(quota, limits, thursday + timedelta(days=6)) == thursday + timedelta(days=7)


def test_a_call_heavier_than_a_whole_window_is_a_setting_to_fix(quota: Quota) -> None:
    with pytest.raises(FixConfiguration, match="weight 6 can never be sent where 60 s allow 5"):
        quota.reserve("g", FIVE_A_MINUTE, 6, NOON)


def test_sources_do_not_share_a_quota(quota: Quota) -> None:
    quota.reserve("g", FIVE_A_MINUTE, 5, NOON)
    quota.reserve("other", FIVE_A_MINUTE, 5, NOON)


def test_a_month_s_credits_end_with_the_month(quota: Quota) -> None:
    for _ in range(3):
        quota.answered(quota.reserve("g", DEMO, 1, NOON), answer(200))
    assert quota.credits_left("g", DEMO, NOON) == 0
    april = datetime(2026, 4, 1, tzinfo=UTC)
    assert blocked_until(quota, DEMO, NOON) == april
    quota.reserve("g", DEMO, 1, april)
    assert quota.credits_left("g", DEMO, april) == 2


def test_only_an_http_200_costs_a_credit(quota: Quota) -> None:
    for status in (200, 304, 404, 429, 500):
        quota.answered(quota.reserve("g", DEMO, 1, NOON), answer(status))
    assert quota.credits_left("g", DEMO, NOON) == 2


def test_a_crash_between_sending_and_the_answer_counts_the_credit(quota: Quota, tmp_path: Path) -> None:
    quota.reserve("g", DEMO, 1, NOON)
    with State(tmp_path) as state:  # a process that starts after the crash
        assert Quota(state).credits_left("g", DEMO, NOON) == 2


def test_a_refund_goes_to_the_month_in_which_the_call_was_sent(quota: Quota) -> None:
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    grant = quota.reserve("g", DEMO, 1, midnight - timedelta(seconds=1))
    quota.answered(grant, answer(500, at=midnight))
    assert quota.credits_left("g", DEMO, midnight - timedelta(seconds=1)) == 3
    assert quota.credits_left("g", DEMO, midnight) == 3


def test_a_call_that_was_never_sent_costs_nothing(quota: Quota) -> None:
    limits = Limits(windows=(Window(60, 1),), credits_per_month=1)
    quota.unsent(quota.reserve("g", limits, 1, NOON))
    quota.reserve("g", limits, 1, NOON)


def test_without_a_budget_credits_are_not_counted(quota: Quota) -> None:
    quota.reserve("g", FIVE_A_MINUTE, 1, NOON)
    assert quota.credits_left("g", FIVE_A_MINUTE, NOON) is None


def test_the_venue_s_own_count_corrects_ours_upwards(quota: Quota) -> None:
    grant = quota.reserve("g", BINANCE, 2, NOON)
    quota.answered(grant, answer(x_mbx_used_weight_1m="5999"))
    assert blocked_until(quota, BINANCE, NOON, cost=2) == NEXT_MINUTE
    quota.reserve("g", BINANCE, 1, NOON)


@pytest.mark.parametrize("said", ["1", "", "-5", "many", "²", "9" * 400])
def test_a_lower_or_senseless_count_never_lowers_ours(quota: Quota, said: str) -> None:
    grants = [quota.reserve("g", BINANCE, 3000, NOON) for _ in range(2)]
    quota.answered(grants[0], answer(x_mbx_used_weight_1m=said))
    assert blocked_until(quota, BINANCE, NOON) == NEXT_MINUTE
    quota.reserve("g", BINANCE, 6000, NEXT_MINUTE)


def test_a_hold_stops_that_source_alone_and_survives_a_restart(quota: Quota, tmp_path: Path) -> None:
    until = quota.hold("g", after_s=3600, reason="banned (HTTP 418)", now=NOON)
    assert until == NOON + timedelta(hours=1)
    with State(tmp_path) as state:
        after_restart = Quota(state)
        with pytest.raises(WaitUntil, match=r"banned \(HTTP 418\).*before 2026-03-01 13:00:20 UTC"):
            after_restart.reserve("g", FIVE_A_MINUTE, 1, until - timedelta(microseconds=1))
        after_restart.reserve("other", FIVE_A_MINUTE, 1, NOON)
        after_restart.reserve("g", FIVE_A_MINUTE, 1, until)


def test_the_later_end_of_two_holds_counts(quota: Quota) -> None:
    quota.hold("g", after_s=3600, reason="banned", now=NOON)
    quota.hold("g", after_s=5, reason="slow down", now=NOON)
    assert blocked_until(quota, FIVE_A_MINUTE, NOON) == NOON + timedelta(hours=1)


@pytest.mark.parametrize("asked_s", [1e9, float("inf"), float("nan")])
def test_an_absurd_hold_is_cut_to_a_week(quota: Quota, asked_s: float) -> None:
    until = quota.hold("g", after_s=asked_s, reason="banned", now=NOON)
    assert until == NOON + timedelta(seconds=LONGEST_HOLD_S)


def test_a_clock_set_back_does_not_lengthen_a_hold_by_the_jump(quota: Quota) -> None:
    quota.hold("g", after_s=60, reason="slow down", now=NOON)
    yesterday = NOON - timedelta(days=1)
    assert blocked_until(quota, FIVE_A_MINUTE, yesterday) == yesterday + timedelta(seconds=60)
    quota.reserve("g", FIVE_A_MINUTE, 1, yesterday + timedelta(seconds=60))


def test_windows_long_past_are_forgotten(quota: Quota, tmp_path: Path) -> None:
    for day in range(10):
        quota.reserve("g", FIVE_A_MINUTE, 1, NOON + timedelta(days=day))
    with State(tmp_path) as state, state.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM quota_uses").fetchone()[0] == 2


def granted(quota: Quota, limits: Limits, calls: int) -> int:
    count = 0
    for _ in range(calls):
        try:
            quota.reserve("g", limits, 1, NOON)
            count += 1
        except WaitUntil:
            pass
    return count


def test_threads_together_never_exceed_a_window(quota: Quota) -> None:
    limits, counts = Limits(windows=(Window(60, 50),)), []
    threads = [threading.Thread(target=lambda: counts.append(granted(quota, limits, 20))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 50


def test_processes_together_never_exceed_a_window_or_a_month(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from coinlake.quota_test import *\n"
        "print('ready', flush=True); sys.stdin.read()\n"
        "with State(Path(sys.argv[1])) as state:\n"
        "    limits = Limits(windows=(Window(60, 100),), credits_per_month=70)\n"
        "    print(granted(Quota(state), limits, 50))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        for _ in range(3)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    counts = [int(process.stdout.read()) for process in running if process.stdout]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert sum(counts) == 70


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-03-01T00:00:00+00:00", "2026-03-01", "2026-04-01"),
        ("2026-12-31T23:59:59+00:00", "2026-12-01", "2027-01-01"),
        ("2028-02-29T12:00:00+00:00", "2028-02-01", "2028-03-01"),
        ("2026-03-01T01:00:00+02:00", "2026-02-01", "2026-03-01"),
    ],
)
def test_months_are_calendar_months_of_utc(moment: str, start: str, end: str) -> None:
    when = datetime.fromisoformat(moment)
    assert month_start(when) == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert month_end(when) == datetime.fromisoformat(end).replace(tzinfo=UTC)
