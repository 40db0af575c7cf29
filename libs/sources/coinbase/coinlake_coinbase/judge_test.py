"""Verdicts on recorded, documented and made-up answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict
from coinlake.testing.recordings import load
from coinlake.verdict import verdict_on
from coinlake_coinbase import recordings
from coinlake_coinbase.judge import judge
from coinlake_coinbase.plugin import Coinbase
from coinlake_coinbase.settings import CoinbaseSettings

ERRORS = {recording.status: recording.body for recording in load(recordings.ERRORS)}


def response(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> Response:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, sent, datetime(2026, 3, 1, tzinfo=UTC))


def verdict(status: int, body: bytes | dict[str, Any] = b"") -> Verdict:
    return judge(response(status, body))


@pytest.mark.parametrize("folder", ["products", "ticker", "stats", "candles"])
def test_every_recorded_page_is_kept_and_states_no_limits(folder: str) -> None:
    pages = load(recordings.FOLDER / folder)
    assert [page.path.name for page in pages if verdict(200, page.body) != Keep()] == []


@pytest.mark.parametrize("status", [200, 400, 429])
def test_the_recorded_limit_is_a_pause_under_any_status(status: int) -> None:
    assert verdict(status, ERRORS[429]) == RetryAfter(
        f"Coinbase's limit is reached (HTTP {status}, 'Public rate limit exceeded')"
    )


@pytest.mark.parametrize("body", [b"", b"<html>slow down</html>", b'{"message":"Slow rate limit exceeded"}'])
def test_a_429_is_a_pause_whatever_it_says(body: bytes) -> None:
    assert isinstance(verdict(429, body), RetryAfter)


def test_a_pause_lasts_as_long_as_its_header_says() -> None:
    found = verdict_on(Coinbase(CoinbaseSettings()), response(429, ERRORS[429], retry_after="17"))
    assert isinstance(found, RetryAfter)
    assert found.after_s == 17


@pytest.mark.parametrize("status", [200, 404])
def test_the_recorded_unknown_product_names_the_setting(status: int) -> None:
    found = verdict(status, ERRORS[404])
    assert isinstance(found, Refuse)
    assert f"sources.coinbase.products (HTTP {status}, 'NotFound')" in found.reason


def test_a_window_of_too_many_candles_is_refused_in_the_venues_own_words() -> None:
    found = verdict(400, ERRORS[400])
    assert isinstance(found, Refuse)
    assert "Count of aggregations requested exceeds 300" in found.reason


@pytest.mark.parametrize("status", [403, 418])
def test_the_firewall_is_left_alone_for_a_while(status: int) -> None:
    found = verdict(status, b"<html>403 Forbidden</html>")
    assert isinstance(found, BannedUntil)
    assert found.after_s == 300


def test_a_region_that_is_shut_out_is_told_what_to_set() -> None:
    found = verdict(451)
    assert isinstance(found, Refuse)
    assert "sources.coinbase.root" in found.reason


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 522])
def test_trouble_of_its_own_passes(status: int) -> None:
    assert isinstance(verdict(status, {"message": "Internal server error"}), RetryAfter)
    assert isinstance(verdict(status, b"<html>"), RetryAfter)


@pytest.mark.parametrize(("status", "body"), [(400, b"{}"), (401, b""), (301, b""), (204, b"")])
def test_any_other_status_is_refused(status: int, body: bytes) -> None:
    assert isinstance(verdict(status, body), Refuse)


def test_any_other_error_under_200_is_refused_in_the_venues_own_words() -> None:
    assert verdict(200, {"message": "Invalid start"}) == Refuse(
        "Coinbase refuses the request (HTTP 200, 'Invalid start')"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Checking your browser</html>",
        b'{"trade_id":1,"pri',
        b'{"message":null}',
        b'{"status_message":"rate limit"}',
        b'\xff{"message":"x"}',
        b'{"a":' * 10_000,
        b'{"message":' + b"[" * 60_000,
        b'{"message":"' + b"x" * 70_000 + b'"}',
        b"[]",
        b"",
    ],
)
def test_whatever_is_no_error_object_is_kept_unparsed(body: bytes) -> None:
    assert verdict(200, body) == Keep()


_LIKE_AN_ERROR = st.dictionaries(
    st.sampled_from(["message", "other"]), st.none() | st.integers() | st.text() | st.lists(st.text())
)


@given(st.integers(100, 599), st.binary(max_size=50) | _LIKE_AN_ERROR)
def test_no_answer_makes_it_raise(status: int, body: bytes | dict[str, Any]) -> None:
    assert isinstance(verdict(status, body), Verdict)


def test_a_long_text_is_cut_in_the_reason() -> None:
    found = verdict(400, {"message": "x" * 10_000})
    assert isinstance(found, Refuse)
    assert len(found.reason) < 400
