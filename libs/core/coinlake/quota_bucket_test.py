"""A rate with bursts, kept to by threads, processes and restarts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import combinations_with_replacement
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.errors import FixConfiguration, WaitUntil
from coinlake.model import Bucket, Limits, Window
from coinlake.quota import Grant, Quota
from coinlake.state import State

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COINBASE = Limits(bucket=Bucket(per_second=10, burst=15))


@pytest.fixture
def quota(tmp_path: Path) -> Iterator[Quota]:
    with State(tmp_path) as state:
        yield Quota(state)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def blocked_until(quota: Quota, now: datetime, limits: Limits = COINBASE, cost: int = 1) -> datetime:
    with pytest.raises(WaitUntil) as caught:
        quota.reserve("c", limits, cost, now)
    return caught.value.until


def test_a_burst_may_be_sent_at_once_and_then_one_call_a_tenth_of_a_second(quota: Quota) -> None:
    for _ in range(15):
        quota.reserve("c", COINBASE, 1, NOON)
    assert blocked_until(quota, NOON) == after(0.1)
    quota.reserve("c", COINBASE, 1, after(0.1))
    assert blocked_until(quota, after(0.1)) == after(0.2)


def test_a_rest_fills_the_bucket_up_to_its_burst_and_no_further(quota: Quota) -> None:
    quota.reserve("c", COINBASE, 15, NOON)
    quota.reserve("c", COINBASE, 15, after(3600))
    assert blocked_until(quota, after(3600)) == after(3600.1)


def test_a_call_takes_its_whole_cost_out_of_the_bucket(quota: Quota) -> None:
    quota.reserve("c", COINBASE, 12, NOON)
    assert blocked_until(quota, NOON, cost=5) == after(0.2)
    quota.reserve("c", COINBASE, 3, NOON)


def test_a_call_that_costs_more_than_the_burst_is_a_setting_to_fix(quota: Quota) -> None:
    with pytest.raises(
        FixConfiguration, match="c: a call of weight 16 can never be sent where 15 are allowed"
    ):
        quota.reserve("c", COINBASE, 16, NOON)
    quota.reserve("c", COINBASE, 15, NOON)


@pytest.mark.parametrize("per_second", [3, 0.7, 1 / 3, 1e-3])
def test_a_full_bucket_gives_all_of_its_burst_at_any_rate(quota: Quota, per_second: float) -> None:
    limits = Limits(bucket=Bucket(per_second, burst=4))
    quota.reserve("c", limits, 4, NOON)
    quota.reserve("c", limits, 4, blocked_until(quota, NOON, limits, cost=4))


def test_a_rate_and_a_window_are_both_kept_to(quota: Quota) -> None:
    limits = Limits(windows=(Window(60, 3),), bucket=Bucket(per_second=1, burst=2))
    for second in (0, 0, 1):
        quota.reserve("c", limits, 1, after(second))
    assert blocked_until(quota, after(10), limits) == after(60)
    quota.reserve("c", limits, 2, after(60))


def test_a_refused_call_draws_nothing(quota: Quota) -> None:
    limits = Limits(windows=(Window(60, 1),), bucket=Bucket(per_second=0.001, burst=2))
    quota.reserve("c", limits, 1, NOON)
    for _ in range(5):
        blocked_until(quota, NOON, limits)
    quota.reserve("c", limits, 1, after(60))


def test_a_call_that_was_never_sent_is_poured_back(quota: Quota) -> None:
    grants = [quota.reserve("c", COINBASE, 5, NOON) for _ in range(3)]
    blocked_until(quota, NOON)
    quota.unsent(grants[1])
    quota.reserve("c", COINBASE, 5, NOON)
    blocked_until(quota, NOON)


def test_what_flowed_back_meanwhile_is_not_poured_back_again(quota: Quota) -> None:
    limits = Limits(bucket=Bucket(per_second=1, burst=1))
    never_sent = quota.reserve("c", limits, 1, NOON)
    quota.reserve("c", limits, 1, after(1))
    quota.unsent(never_sent)
    assert blocked_until(quota, after(1.5), limits) == after(2)


def test_sources_have_buckets_of_their_own(quota: Quota) -> None:
    quota.reserve("c", COINBASE, 15, NOON)
    quota.reserve("other", COINBASE, 15, NOON)


def test_a_restart_finds_the_bucket_as_it_was(quota: Quota, tmp_path: Path) -> None:
    quota.reserve("c", COINBASE, 15, NOON)
    with State(tmp_path) as state:
        assert blocked_until(Quota(state), NOON) == after(0.1)


def test_a_clock_set_back_leaves_an_empty_bucket_that_fills_as_ever(quota: Quota) -> None:
    quota.reserve("c", COINBASE, 15, NOON)
    yesterday = NOON - timedelta(days=1)
    until = blocked_until(quota, yesterday)
    assert until == yesterday + timedelta(seconds=0.1)
    quota.reserve("c", COINBASE, 1, until)
    quota.reserve("c", COINBASE, 15, yesterday + timedelta(seconds=2))


_BUCKETS = st.builds(
    Bucket, st.sampled_from([0.1, 0.3, 1 / 3, 1.0, 3.0, 7.0, 10.0, 333.0]), burst=st.integers(1, 5)
)
_CALLS = st.lists(
    st.tuples(
        st.integers(0, 3_000_000),  # microseconds since the call before
        st.integers(1, 5),
        st.sampled_from(["sent", "sent", "unsent", "unsent later", "waits"]),
    ),
    max_size=14,
)


def sent_of(quota: Quota, limits: Limits, calls: list[tuple[int, int, str]]) -> list[Grant]:
    """The calls that are sent when each comes so long after the one before and meets its fate."""
    sent: list[Grant] = []
    doubtful: list[Grant] = []
    now = NOON
    for microseconds, cost, fate in calls:
        now += timedelta(microseconds=microseconds)
        try:
            grant = quota.reserve("c", limits, cost, now)
        except WaitUntil as wait:
            if fate != "waits":
                continue
            now = wait.until
            grant = quota.reserve("c", limits, cost, now)  # never to be told to wait again
        if fate == "unsent":
            quota.unsent(grant)
        elif fate == "unsent later":
            doubtful.append(grant)
        else:
            sent.append(grant)
            if doubtful:
                quota.unsent(doubtful.pop())
    return sent


@settings(deadline=None, max_examples=60)
@given(_BUCKETS, _CALLS)
def test_in_no_interval_is_more_sent_than_the_burst_and_what_flowed_back(
    bucket: Bucket, calls: list[tuple[int, int, str]]
) -> None:
    affordable = [(after_us, min(cost, bucket.burst), fate) for after_us, cost, fate in calls]
    with TemporaryDirectory() as folder, State(Path(folder)) as state:
        sent = sent_of(Quota(state), Limits(bucket=bucket), affordable)
    for first, last in combinations_with_replacement(range(len(sent)), 2):
        passed_s = Fraction((sent[last].at - sent[first].at) // timedelta(microseconds=1), 1_000_000)
        used = sum(grant.cost for grant in sent[first : last + 1])
        assert used <= bucket.burst + Fraction(bucket.per_second) * passed_s


_GREEDY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from coinlake.errors import WaitUntil
from coinlake.model import Bucket, Limits
from coinlake.quota import Quota
from coinlake.state import State

limits, left = Limits(bucket=Bucket(per_second=40, burst=10)), 20
print("ready", flush=True)
sys.stdin.readline()
with State(Path(sys.argv[1])) as state:
    while left:
        try:
            print(Quota(state).reserve("c", limits, 1, datetime.now(UTC)).at.isoformat(), flush=True)
            left -= 1
        except WaitUntil as wait:
            sleep(max(0, (wait.until - datetime.now(UTC)).total_seconds()))
"""


async def test_processes_together_keep_to_one_bucket(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = asyncio.subprocess.PIPE
    greedy = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _GREEDY, str(tmp_path), stdin=pipe, stdout=pipe, env=environment
        )
        for _ in range(3)
    ]
    async with asyncio.timeout(60):
        for process in greedy:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        said = await asyncio.gather(*(process.communicate(b"go\n") for process in greedy))
    sent = sorted(datetime.fromisoformat(line) for output, _ in said for line in output.decode().split())
    assert len(sent) == 60
    for first, last in combinations_with_replacement(range(60), 2):
        passed_s = (sent[last] - sent[first]).total_seconds()
        assert last - first + 1 <= 10 + 40 * passed_s + 1e-6
