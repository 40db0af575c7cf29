"""Verdicts on recorded, documented and made-up answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict, Window
from coinlake.testing.recordings import load
from coinlake.verdict import verdict_on
from coinlake_binance import recordings
from coinlake_binance.judge import judge
from coinlake_binance.plugin import Binance
from coinlake_binance.settings import BinanceSettings

ERRORS = {recording.status: recording.body for recording in load(recordings.ERRORS)}
BANNED_UNTIL = datetime.fromtimestamp(1660090423.228, UTC)
AT = datetime(2022, 8, 10, tzinfo=UTC)


def response(status: int, body: bytes | dict[str, Any] = b"", at: datetime = AT, **headers: str) -> Response:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, sent, at)


def verdict(status: int, body: bytes | dict[str, Any] = b"") -> Verdict:
    return judge(response(status, body))


@pytest.mark.parametrize("folder", ["ticker_24hr", "klines"])
def test_every_recorded_page_is_kept_and_states_no_limits(folder: str) -> None:
    pages = load(recordings.FOLDER / folder)
    assert [page.path.name for page in pages if verdict(200, page.body) != Keep()] == []


def test_the_recorded_exchange_info_states_the_weight_of_its_time() -> None:
    [info] = load(recordings.FOLDER / "exchangeInfo")
    assert verdict(200, info.body) == Keep(windows=(Window(60, 1200),))


@pytest.mark.parametrize(
    ("limits", "windows"),
    [
        ([("REQUEST_WEIGHT", "MINUTE", 1, 6000)], (Window(60, 6000),)),
        ([("ORDERS", "SECOND", 10, 50), ("REQUEST_WEIGHT", "MINUTE", 5, 9000)], (Window(300, 9000),)),
        ([("RAW_REQUESTS", "MINUTE", 5, 61000)], None),
        ([("REQUEST_WEIGHT", "DAY", 1, 6000)], None),
        ([("REQUEST_WEIGHT", "MINUTE", 1, 0)], None),
        ([("REQUEST_WEIGHT", "MINUTE", "1", 6000)], None),
        ([], None),
    ],
)
def test_only_a_weight_by_the_minute_is_taken_for_a_limit(
    limits: list[tuple[Any, ...]], windows: tuple[Window, ...] | None
) -> None:
    names = ("rateLimitType", "interval", "intervalNum", "limit")
    stated = [dict(zip(names, limit, strict=True)) for limit in limits]
    assert verdict(200, {"rateLimits": stated, "symbols": []}) == Keep(windows=windows)


def test_a_limit_of_the_settings_stands_above_the_stated_one() -> None:
    [info] = load(recordings.FOLDER / "exchangeInfo")
    given = Binance(BinanceSettings(weight_per_minute=500))
    assert given.judge(response(200, info.body)) == Keep(windows=None)
    assert given.limits.windows == (Window(60, 500),)
    assert Binance(BinanceSettings()).judge(response(200, info.body)) == Keep(windows=(Window(60, 1200),))


@pytest.mark.parametrize("status", [200, 429])
def test_the_recorded_too_many_is_a_pause_under_any_status(status: int) -> None:
    found = verdict(status, ERRORS[429])
    assert isinstance(found, RetryAfter)
    assert found.after_s is None
    assert "-1003 'Too many requests" in found.reason


def test_a_pause_lasts_as_long_as_its_header_says() -> None:
    found = verdict_on(Binance(BinanceSettings()), response(429, ERRORS[429], retry_after="17"))
    assert isinstance(found, RetryAfter)
    assert found.after_s == 17


def test_the_recorded_ban_lasts_until_the_moment_it_names() -> None:
    found = judge(response(418, ERRORS[418], at=BANNED_UNTIL - timedelta(minutes=7)))
    assert isinstance(found, BannedUntil)
    assert found.after_s == pytest.approx(420)


def test_a_ban_lasts_for_its_header_where_that_is_longer() -> None:
    at = BANNED_UNTIL - timedelta(minutes=7)
    found = verdict_on(Binance(BinanceSettings()), response(418, ERRORS[418], at=at, retry_after="3600"))
    assert isinstance(found, BannedUntil)
    assert found.after_s == 3600


@pytest.mark.parametrize(("ago", "lasts_s"), [(timedelta(days=900), 3 * 86400), (timedelta(days=-1), 1)])
def test_a_ban_seen_by_a_clock_that_is_wrong_is_no_longer_than_bans_are(ago: timedelta, lasts_s: int) -> None:
    found = judge(response(418, ERRORS[418], at=BANNED_UNTIL - ago))
    assert isinstance(found, BannedUntil)
    assert found.after_s == lasts_s


@pytest.mark.parametrize("body", [b"", b"<html>I'm a teapot</html>", b'{"code":-1003,"msg":"x"}'])
def test_a_ban_that_does_not_say_how_long_is_the_shortest(body: bytes) -> None:
    found = verdict(418, body)
    assert isinstance(found, BannedUntil)
    assert found.after_s == 120


def test_the_firewall_is_left_alone_and_the_reason_says_what_may_help() -> None:
    found = verdict(403, b"<html>403 Forbidden</html>")
    assert isinstance(found, BannedUntil)
    assert found.after_s == 300
    assert "sources.binance.root" in found.reason


def test_a_region_that_is_shut_out_is_told_where_to_ask() -> None:
    found = verdict(451, {"code": 0, "msg": "Service unavailable from a restricted location"})
    assert isinstance(found, Refuse)
    assert 'sources.binance.root to "https://data-api.binance.vision"' in found.reason


def test_the_recorded_unknown_symbol_names_the_setting() -> None:
    found = verdict(400, ERRORS[400])
    assert isinstance(found, Refuse)
    assert "sources.binance.symbols (HTTP 400, -1121 'Invalid symbol.')" in found.reason


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'{"code":-1000,"msg":"?"}'])
def test_a_fault_of_the_server_is_a_pause(status: int, body: bytes) -> None:
    assert isinstance(verdict(status, body), RetryAfter)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1008, -1016, -1034])
def test_a_trouble_of_the_venues_own_is_a_pause_under_any_status(code: int) -> None:
    assert isinstance(verdict(200, {"code": code, "msg": "?"}), RetryAfter)
    assert isinstance(verdict(400, {"code": code, "msg": "?"}), RetryAfter)


@pytest.mark.parametrize(("status", "body"), [(400, b"{}"), (404, b""), (301, b""), (204, b"")])
def test_any_other_status_is_refused(status: int, body: bytes) -> None:
    assert isinstance(verdict(status, body), Refuse)


def test_any_other_error_under_200_is_refused_in_the_venues_own_words() -> None:
    assert verdict(200, {"code": -1100, "msg": "Illegal characters"}) == Refuse(
        "Binance refuses the request (HTTP 200, -1100 'Illegal characters')"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Checking your browser</html>",
        b'[{"symbol":"BTCUSDT","lastP',
        b'{"serverTime":1}',
        b'\xff{"code":1}',
        b'{"a":' * 10_000,
        b'{"rateLimits":' + b"[" * 100_000,
        b'{"code":-1003,"msg":"' + b"x" * 70_000 + b'"}',
        b"",
    ],
)
def test_whatever_is_no_error_object_is_kept_unparsed(body: bytes) -> None:
    assert verdict(200, body) == Keep()


_LIKE_AN_ANSWER = st.dictionaries(
    st.sampled_from(["code", "msg", "rateLimits"]),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["limit", "interval"]), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


@settings(deadline=None)
@given(st.integers(100, 599), st.binary(max_size=50) | _LIKE_AN_ANSWER)
def test_no_answer_makes_it_raise(status: int, body: bytes | dict[str, Any]) -> None:
    assert isinstance(verdict(status, body), Verdict)


def test_a_long_text_is_cut_in_the_reason() -> None:
    found = verdict(400, {"code": -1, "msg": "x" * 10_000})
    assert isinstance(found, Refuse)
    assert len(found.reason) < 400
