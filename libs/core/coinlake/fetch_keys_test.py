"""Where a source's keys go when they are fetched with: into their headers, and nowhere else."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.fetch import Fetcher
from coinlake.model import BannedUntil, Keep, Refuse, Request, RetryAfter, Verdict
from coinlake.quota import Quota
from coinlake.settings import FetchSettings, Secret
from coinlake.state import State
from coinlake.testing import unruly
from coinlake.testing.plain_source import PlainSource
from coinlake.testing.stopped_clock import LeapingClock
from coinlake.testing.unruly import Unruly

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "k3y-that-nobody-may-see"
BOUNDS = FetchSettings(read_timeout_s=0.3, answer_timeout_s=0.8, body_limit_bytes=1_000_000, attempts=2)


async def fetch(folder: Path, source: PlainSource) -> None:
    """One fetch that gives up within a minute of a clock that leaps."""
    with State(folder) as state:
        async with Fetcher(BOUNDS, Quota(state), LeapingClock(NOON)) as fetcher:
            await fetcher.fetch(source, Request("/ticks"), give_up_at=NOON + timedelta(minutes=1))


def everything_about(error: BaseException) -> str:
    """An error and all it leads to, as the most talkative crash reporter would print them."""
    shown, pending, seen = [], [error], set()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        shown += [repr(one), str(vars(one)), str(getattr(getattr(one, "request", None), "headers", ""))]
        shown += traceback.TracebackException.from_exception(one, capture_locals=True).format()
        pending += [linked for linked in (one.__cause__, one.__context__) if linked]
    return "\n".join(shown)


@pytest.mark.parametrize(
    "misdeed",
    [
        unruly.silence(),
        unruly.hang_up(),
        unruly.cut_body(),
        unruly.garbage(),
        unruly.drip_body(0.01),
        unruly.large(2_000_000),
        unruly.redirect("http://other.example"),
        unruly.status(404),
        unruly.status(418),
        unruly.status(429, {"retry-after": "600"}),
        unruly.status(500),
        None,
    ],
)
async def test_a_key_is_sent_in_its_header_and_stands_nowhere_else(
    misdeed: unruly.Misdeed | None, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Unruly(misdeed or unruly.whole()) as server:
        root = server.url if misdeed else "http://127.0.0.1:1"
        source = PlainSource(root, secret_headers={"x-api-key": Secret(KEY)})
        with capture_logs() as events, pytest.raises(CoinlakeError) as caught:
            await fetch(tmp_path, source)
    assert KEY not in everything_about(caught.value)
    assert KEY not in "\n".join(str((vars(record), record.getMessage())) for record in caplog.records)
    assert KEY not in str(events)
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    if misdeed:
        assert f"x-api-key: {KEY}\r\n" in server.heads[0]


@pytest.mark.parametrize(
    ("misdeed", "verdict"),
    [
        (unruly.whole(), Refuse(f"{KEY} is not a known key")),
        (unruly.whole(), RetryAfter(f"{KEY} is over its limit", after_s=600)),
        (unruly.whole(), BannedUntil(f"{KEY} is banned", after_s=600)),
        (unruly.redirect(f"http://{KEY}.example"), Keep()),
    ],
)
async def test_a_key_that_the_venue_echoes_is_neither_shown_nor_remembered(
    misdeed: unruly.Misdeed, verdict: Verdict, tmp_path: Path
) -> None:
    async with Unruly(misdeed) as server:
        source = PlainSource(
            server.url, secret_headers={"x-api-key": Secret(KEY)}, judged=lambda response: verdict
        )
        with capture_logs() as events, pytest.raises(CoinlakeError, match=r"\*\*\*") as caught:
            await fetch(tmp_path, source)
    assert KEY not in str(caught.value)
    assert KEY not in str(events)
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("root", "key", "said"),
    [
        ("api.example.com", "unused", "not a URL"),
        ("ftp://example.com", "unused", "not a URL"),
        ("https:///api", "unused", "not a URL"),
        ("http://example.com:eighty", "unused", "not a URL"),
        (f"http://me:{KEY}@example.com", "unused", "in a header only"),
        (f"http://example.com/{KEY}", KEY, "in a header only"),
        ("http://example.com", f"{KEY}\n", "no header may hold"),
        ("http://example.com", f"{KEY}ü", "no header may hold"),
    ],
)
async def test_a_root_or_key_that_cannot_be_sent_is_a_setting_to_fix(
    tmp_path: Path, root: str, key: str, said: str
) -> None:
    source = PlainSource(root, secret_headers={"x-api-key": Secret(key)})
    with pytest.raises(FixConfiguration, match=said) as caught:
        await fetch(tmp_path, source)
    assert KEY not in str(caught.value)
