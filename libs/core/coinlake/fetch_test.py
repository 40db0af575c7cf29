"""Fetching from a real socket whose other end misbehaves."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from coinlake.errors import Refused, TryAgain, WaitUntil
from coinlake.fetch import Fetcher
from coinlake.model import (
    BannedUntil,
    Bucket,
    Keep,
    Limits,
    Refuse,
    Request,
    Response,
    RetryAfter,
    Verdict,
    Window,
)
from coinlake.quota import Quota
from coinlake.settings import FetchSettings
from coinlake.state import State
from coinlake.testing import unruly
from coinlake.testing.plain_source import PlainSource
from coinlake.testing.stopped_clock import LeapingClock, StoppedClock
from coinlake.testing.unruly import Unruly

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = Request("/ticks", (("page", "1"), ("ids", "a,b")))
IMPATIENT = FetchSettings(
    connect_timeout_s=0.3, read_timeout_s=0.3, answer_timeout_s=0.8, body_limit_bytes=1_000_000, attempts=2
)
PATIENT = FetchSettings(attempts=5)


class Bench:
    """A fetcher, its quota and a clock that leaps."""

    def __init__(self, state: State) -> None:
        self.quota = Quota(state)
        self.clock = LeapingClock(NOON)

    async def fetch(
        self,
        source: PlainSource,
        settings: FetchSettings = IMPATIENT,
        give_up_at: datetime | None = None,
        clock: StoppedClock | None = None,
    ) -> Response:
        async with Fetcher(settings, self.quota, clock or self.clock) as fetcher:
            return (await fetcher.fetch(source, PAGE, give_up_at=give_up_at)).response

    def waited_s(self) -> float:
        return (self.clock.now() - NOON).total_seconds()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    with State(tmp_path) as state:
        yield Bench(state)


async def test_an_answer_comes_with_its_url_its_times_and_its_very_bytes(bench: Bench) -> None:
    body = b'[{"id": "bitcoin",  "price": 1.10}]\n\xff'
    async with (
        Unruly(unruly.whole(body, headers={"ETag": "x"})) as server,
        Fetcher(IMPATIENT, bench.quota, bench.clock) as fetcher,
    ):
        answer = await fetcher.fetch(PlainSource(server.url + "/api/"), PAGE)
    assert answer.url == f"{server.url}/api/ticks?page=1&ids=a%2Cb"
    assert (answer.requested_at, answer.response.received_at) == (NOON, NOON)
    assert (answer.response.status, answer.response.body) == (200, body)
    assert answer.response.headers["etag"] == "x"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_body_is_kept_unpacked(bench: Bench, encoding: str) -> None:
    async with Unruly(unruly.packed(b"[1]" * 1000, encoding)) as server:
        assert (await bench.fetch(PlainSource(server.url))).body == b"[1]" * 1000
    assert "accept-encoding: gzip\r\n" in server.heads[0]


async def test_a_gzip_body_of_several_members_is_kept_whole(bench: Bench) -> None:
    body = gzip.compress(b"[1,") + gzip.compress(b"2]")
    async with Unruly(unruly.whole(body, headers={"content-encoding": "gzip"})) as server:
        assert (await bench.fetch(PlainSource(server.url))).body == b"[1,2]"


@pytest.mark.parametrize(
    ("misdeed", "said"),
    [
        (unruly.silence(), "ReadTimeout"),
        (unruly.hang_up(), "disconnected"),
        (unruly.garbage(), "RemoteProtocolError"),
        (unruly.drip_head(0.01), r"no whole answer within 0\.8 s"),
        (unruly.drip_body(0.01), r"no whole answer within 0\.8 s"),
        (unruly.cut_body(), "received 8 bytes, expected 1000"),
        (unruly.cut_chunks(), "incomplete"),
        (unruly.cut_gzip(), "its packed body has no end"),
        (unruly.whole(b"[]", headers={"content-encoding": "gzip"}), "cannot be unpacked"),
        (unruly.status(500), "HTTP 500"),
        (unruly.status(503), "HTTP 503"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
async def test_a_passing_fault_is_retried_within_bounds_and_then_given_up(
    bench: Bench, misdeed: unruly.Misdeed, said: str
) -> None:
    started_s = time.monotonic()
    async with Unruly(misdeed) as server:
        with pytest.raises(TryAgain, match=said):
            await bench.fetch(PlainSource(server.url))
    assert len(server.heads) == IMPATIENT.attempts
    assert time.monotonic() - started_s < 2 * IMPATIENT.answer_timeout_s + 1


async def test_a_root_that_never_connects_is_given_up_in_time_and_costs_nothing(bench: Bench) -> None:
    limits = Limits(windows=(Window(60, 2),), credits_per_month=2)
    with unruly.unreachable() as root, pytest.raises(TryAgain, match="cannot connect: ConnectTimeout"):
        await bench.fetch(PlainSource(root, limits=limits))
    assert bench.quota.credits_left("plain", limits, NOON) == 2


async def test_a_fault_that_passes_costs_no_answer(bench: Bench) -> None:
    misdeeds = [unruly.status(500), unruly.cut_body(), unruly.status(502), unruly.hang_up()]
    async with Unruly(*misdeeds, unruly.whole(b"[1]")) as server:
        assert (await bench.fetch(PlainSource(server.url), PATIENT)).body == b"[1]"
    assert len(server.heads) == 5


async def test_retries_back_off_exponentially_with_jitter(bench: Bench) -> None:
    async with Unruly(unruly.status(500)) as server:
        with pytest.raises(TryAgain):
            await bench.fetch(PlainSource(server.url), PATIENT)
    moments = [NOON, *bench.clock.awaited]
    waits_s = [(b - a).total_seconds() for a, b in pairwise(moments)]
    assert len(waits_s) == PATIENT.attempts - 1
    for wait_s, least_s in zip(waits_s, (1, 2, 4, 8), strict=True):
        assert least_s <= wait_s <= least_s + 1
    assert any(wait_s != int(wait_s) for wait_s in waits_s)


async def test_every_retry_is_an_event_with_its_reason(bench: Bench) -> None:
    async with Unruly(unruly.status(500), unruly.whole()) as server:
        with capture_logs() as events:
            await bench.fetch(PlainSource(server.url))
    assert [(e["event"], e["source"], e["attempt"]) for e in events] == [("fetch.retried", "plain", 1)]
    assert "HTTP 500" in events[0]["reason"]


async def test_no_retry_begins_past_the_moment_to_give_up(bench: Bench) -> None:
    async with Unruly(unruly.status(500)) as server:
        with pytest.raises(TryAgain, match="HTTP 500"):
            await bench.fetch(PlainSource(server.url), PATIENT, give_up_at=NOON + timedelta(seconds=5))
    assert bench.clock.now() < NOON + timedelta(seconds=5)
    assert 2 <= len(server.heads) <= 3


async def test_an_answer_longer_than_the_limit_is_refused_while_it_streams(bench: Bench) -> None:
    async with Unruly(unruly.large(60 * 1024 * 1024)) as server:
        with pytest.raises(Refused, match=r"longer than 1000000 bytes \(`fetch.body_limit_bytes`\)"):
            await bench.fetch(PlainSource(server.url))
    assert len(server.heads) == 1


async def test_a_gzip_bomb_is_refused_at_the_limit(bench: Bench) -> None:
    async with Unruly(unruly.bomb(200 * 1024 * 1024)) as server:
        with pytest.raises(Refused, match="longer than 1000000 bytes"):
            await bench.fetch(PlainSource(server.url))


async def test_an_answer_of_just_the_limit_is_kept(bench: Bench) -> None:
    for misdeed in (unruly.whole(b"x" * 1_000_000), unruly.packed(b"x" * 1_000_000)):
        async with Unruly(misdeed) as server:
            assert len((await bench.fetch(PlainSource(server.url))).body) == 1_000_000


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
async def test_a_packing_that_was_not_asked_for_is_refused(bench: Bench, encoding: str) -> None:
    async with Unruly(unruly.whole(headers={"content-encoding": encoding})) as server:
        with pytest.raises(Refused, match="which was not asked for"):
            await bench.fetch(PlainSource(server.url))


async def test_a_redirect_to_another_host_is_refused_and_never_asked(bench: Bench) -> None:
    async with Unruly(unruly.whole()) as other, Unruly(unruly.redirect(other.url + "/ticks")) as server:
        with pytest.raises(Refused, match="redirect to another host"):
            await bench.fetch(PlainSource(server.url))
    assert other.heads == []


async def test_a_redirect_within_the_host_is_followed_a_few_times(bench: Bench) -> None:
    async with Unruly(unruly.redirect("/v4/ticks", 308), unruly.whole(b"[4]")) as server:
        assert (await bench.fetch(PlainSource(server.url))).body == b"[4]"
    assert server.heads[1].startswith("GET /v4/ticks HTTP/1.1\r\n")
    async with Unruly(unruly.redirect("/again")) as server:
        with pytest.raises(Refused, match="more than 3 redirects"):
            await bench.fetch(PlainSource(server.url))
    assert len(server.heads) == 4


@pytest.mark.parametrize("code", [304, 400, 401, 403, 404, 422, 451])
async def test_a_plain_no_is_refused_at_once_even_by_a_judge_that_keeps_all(bench: Bench, code: int) -> None:
    async with Unruly(unruly.status(code)) as server:
        with pytest.raises(Refused, match=f"HTTP {code}"):
            await bench.fetch(PlainSource(server.url))
    assert len(server.heads) == 1


@pytest.mark.parametrize(
    ("headers", "least_s", "most_s"),
    [
        ({"retry-after-ms": "7500", "retry-after": "60"}, 7.5, 8.5),
        ({"retry-after": "7"}, 7, 8),
        ({"retry-after": "Sun, 01 Mar 2026 12:00:07 GMT"}, 7, 8),
        ({"retry-after": "soon"}, 1, 2),
        ({}, 1, 2),
    ],
)
async def test_a_429_is_waited_out_in_all_its_forms(
    bench: Bench, headers: dict[str, str], least_s: float, most_s: float
) -> None:
    async with Unruly(unruly.status(429, headers), unruly.whole(b"[1]")) as server:
        assert (await bench.fetch(PlainSource(server.url))).body == b"[1]"
    assert least_s <= bench.waited_s() <= most_s


async def test_a_pause_that_was_asked_for_holds_every_process(bench: Bench) -> None:
    async with Unruly(unruly.status(429, {"retry-after": "600"})) as server:
        with pytest.raises(WaitUntil, match="too many calls"):
            await bench.fetch(PlainSource(server.url), PATIENT, give_up_at=NOON + timedelta(minutes=3))
    assert len(server.heads) == 1
    with pytest.raises(WaitUntil):
        bench.quota.reserve("plain", Limits(), 1, NOON + timedelta(seconds=599))


@pytest.mark.parametrize(("headers", "ban_s"), [({"retry-after": "60"}, 60), ({}, 120)])
async def test_a_ban_is_kept_and_nothing_is_sent_before_it_ends(
    bench: Bench, headers: dict[str, str], ban_s: int
) -> None:
    until = NOON + timedelta(seconds=ban_s)
    async with Unruly(unruly.status(418, headers), unruly.whole(b"[1]")) as server:
        with pytest.raises(WaitUntil, match="HTTP 418") as caught:
            await bench.fetch(PlainSource(server.url))
        assert caught.value.until == until
        with pytest.raises(WaitUntil):
            await bench.fetch(PlainSource(server.url), give_up_at=NOON + timedelta(seconds=30))
        assert len(server.heads) == 1
        await bench.fetch(PlainSource(server.url))
    assert bench.clock.now() == until


async def test_a_source_that_is_held_up_does_not_hold_up_another(bench: Bench) -> None:
    clock = StoppedClock(NOON)
    bench.quota.hold("held", after_s=3600, reason="banned", now=NOON)
    async with (
        Unruly(unruly.whole(b"[1]")) as server,
        Fetcher(IMPATIENT, bench.quota, clock) as fetcher,
    ):
        held = asyncio.create_task(fetcher.fetch(PlainSource(server.url, name="held"), PAGE))
        free = await fetcher.fetch(PlainSource(server.url, name="free"), PAGE)
        assert free.response.body == b"[1]"
        async with asyncio.timeout(10):
            while not clock.awaited:
                await asyncio.sleep(0)
        assert not held.done()
        clock.move(seconds=3600)
        assert (await held).response.body == b"[1]"


async def test_a_full_window_is_waited_for(bench: Bench) -> None:
    limits = Limits(windows=(Window(60, 2),))
    async with Unruly(unruly.whole()) as server:
        for _ in range(3):
            await bench.fetch(PlainSource(server.url, limits=limits))
    assert bench.clock.now() == NOON + timedelta(minutes=1)


async def test_only_answers_cost_credits_and_the_last_one_ends_the_month(bench: Bench) -> None:
    limits, tomorrow = Limits(credits_per_month=2), NOON + timedelta(days=1)
    async with Unruly(unruly.status(500), unruly.status(404), unruly.whole()) as server:
        source = PlainSource(server.url, limits=limits)
        with pytest.raises(Refused):
            await bench.fetch(source, give_up_at=tomorrow)
        for _ in range(2):
            await bench.fetch(source, give_up_at=tomorrow)
        with pytest.raises(WaitUntil, match="credits are used up"):
            await bench.fetch(source, give_up_at=tomorrow)
    assert len(server.heads) == 4


async def test_the_venue_s_own_count_of_weight_is_taken_over(bench: Bench) -> None:
    limits = Limits(windows=(Window(60, 100),), used_weight_header="x-used-weight")
    async with Unruly(unruly.whole(headers={"X-Used-Weight": "100"})) as server:
        for _ in range(2):
            await bench.fetch(PlainSource(server.url, limits=limits))
    assert bench.clock.now() == NOON + timedelta(minutes=1)


async def test_limits_stated_in_an_answer_hold_from_the_next_call_on(bench: Bench) -> None:
    limits = Limits(windows=(Window(60, 100),))
    async with Unruly(unruly.whole()) as server:
        source = PlainSource(server.url, limits=limits, judged=lambda _: Keep(windows=(Window(60, 2),)))
        for _ in range(2):
            await bench.fetch(source)
        assert bench.clock.now() == NOON
        await bench.fetch(PlainSource(server.url, limits=limits))  # one that has not seen the answer
    assert bench.clock.now() == NOON + timedelta(minutes=1)


async def test_a_rate_is_waited_for(bench: Bench) -> None:
    limits = Limits(bucket=Bucket(per_second=10, burst=2))
    async with Unruly(unruly.whole()) as server:
        for _ in range(5):
            await bench.fetch(PlainSource(server.url, limits=limits))
    assert bench.waited_s() == pytest.approx(0.3)


async def test_a_call_whose_outcome_is_unknown_counts(bench: Bench) -> None:
    limits = Limits(credits_per_month=10)
    async with Unruly(unruly.cut_body()) as server:
        with pytest.raises(TryAgain):
            await bench.fetch(PlainSource(server.url, limits=limits))
    assert bench.quota.credits_left("plain", limits, NOON) == 8


def by_body(response: Response) -> Verdict:
    verdicts: dict[bytes, Verdict] = {
        b"limited": RetryAfter("over the limit"),
        b"banned": BannedUntil("out", after_s=300),
        b"no": Refuse("unknown coin"),
    }
    return verdicts.get(response.body, Keep())


async def test_an_error_under_http_200_is_what_its_source_says(bench: Bench) -> None:
    limited = unruly.whole(b"limited", headers={"retry-after": "9"})
    banned = unruly.whole(b"banned", headers={"retry-after": "900"})
    misdeeds = [limited, unruly.whole(b"[1]"), unruly.whole(b"no"), banned]
    async with Unruly(*misdeeds) as server:
        source = PlainSource(server.url, judged=by_body)
        assert (await bench.fetch(source)).body == b"[1]"
        assert 9 <= bench.waited_s() <= 10
        with pytest.raises(Refused, match="unknown coin"):
            await bench.fetch(source)
        with pytest.raises(WaitUntil, match="out; nothing is sent before") as caught:
            await bench.fetch(source)
    assert caught.value.until == bench.clock.now() + timedelta(seconds=900)  # the longer of 300 and 900


async def test_a_judge_that_raises_is_a_refusal_not_a_crash(bench: Bench) -> None:
    def broken(response: Response) -> Verdict:
        raise KeyError("status")

    async with Unruly(unruly.html()) as server:
        with pytest.raises(
            Refused, match=r"source plain cannot judge an HTTP 200 answer \(KeyError: 'status'\)"
        ):
            await bench.fetch(PlainSource(server.url, judged=broken))


async def test_loopback_is_never_asked_through_a_proxy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with Unruly(unruly.whole(b"[1]")) as server:
        assert (await bench.fetch(PlainSource(server.url))).body == b"[1]"


async def test_a_call_that_is_cancelled_stops_at_once_and_counts(bench: Bench) -> None:
    limits = Limits(credits_per_month=10)
    async with Unruly(unruly.silence()) as server:
        call = asyncio.create_task(bench.fetch(PlainSource(server.url, limits=limits), PATIENT))
        async with asyncio.timeout(10):
            while not server.heads:
                await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert bench.quota.credits_left("plain", limits, NOON) == 9
