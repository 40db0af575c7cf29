"""Verdicts on recorded, documented and made-up answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict
from coinlake.testing.recordings import load
from coinlake_coingecko import recordings
from coinlake_coingecko.judge import judge

ERRORS = {r.path.name: r for r in load(recordings.ERRORS)}


def verdict(status: int, body: bytes | dict[str, Any]) -> Verdict:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge(Response(status, {}, sent, datetime(2026, 1, 1, tzinfo=UTC)))


def test_every_recorded_page_is_kept() -> None:
    pages = load(recordings.FOLDER / "coins_markets")
    assert [page.path.name for page in pages if verdict(200, page.body) != Keep()] == []


@pytest.mark.parametrize("status", [200, 429])
def test_the_recorded_rate_limit_is_a_pause_under_any_status(status: int) -> None:
    found = verdict(status, ERRORS["429_2022-09-29.json"].body)
    assert isinstance(found, RetryAfter)
    assert found.after_s is None
    assert "exceeded the Rate Limit" in found.reason


@pytest.mark.parametrize("status", [200, 403])
def test_the_recorded_outage_that_came_as_a_403_is_a_pause(status: int) -> None:
    assert isinstance(verdict(status, ERRORS["coins_markets_403_2023-03-30T005442Z.json"].body), RetryAfter)


@pytest.mark.parametrize("status", [200, 500])
def test_the_recorded_server_error_is_a_pause(status: int) -> None:
    assert isinstance(
        verdict(status, ERRORS["coins_bitcoin_ohlc_500_2021-07-19T032215Z.json"].body), RetryAfter
    )


@pytest.mark.parametrize("name", [name for name in ERRORS if "_422_" in name])
def test_a_recorded_wrong_request_is_refused_with_the_venues_own_words(name: str) -> None:
    found = verdict(422, ERRORS[name].body)
    assert isinstance(found, Refuse)
    assert "HTTP 422, 'Missing parameter" in found.reason


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520, 524])
@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>"])
def test_a_fault_of_the_server_is_a_pause(status: int, body: bytes) -> None:
    assert isinstance(verdict(status, body), RetryAfter)


@pytest.mark.parametrize(
    ("code", "setting"),
    [(10002, ".api_key"), (10005, ".plan"), (10010, '.plan to "pro"'), (10011, '.plan to "demo"')],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_a_refusal_over_the_key_names_the_setting_to_change(status: int, code: int, setting: str) -> None:
    for body in (
        {"status": {"error_code": code, "error_message": "as documented"}},
        {"error_code": code, "status": {"error_message": "as documented"}},
    ):
        found = verdict(status, body)
        assert isinstance(found, Refuse)
        assert "sources.coingecko" in found.reason
        assert setting in found.reason
        assert "as documented" in found.reason


@pytest.mark.parametrize("status", [401, 403])
def test_denied_access_without_a_code_names_the_settings_to_check(status: int) -> None:
    found = verdict(status, b"<html>Forbidden</html>")
    assert isinstance(found, Refuse)
    assert "sources.coingecko" in found.reason


@pytest.mark.parametrize("status", [204, 301, 400, 404, 422])
def test_any_other_status_is_refused(status: int) -> None:
    assert isinstance(verdict(status, b""), Refuse)


def test_an_error_under_200_that_says_no_more_is_refused() -> None:
    assert verdict(200, {"error": "coin not found"}) == Refuse(
        "CoinGecko refuses the request (HTTP 200, 'coin not found')"
    )


@pytest.mark.parametrize("body", [b"", b'{"status":{"error_code":429,"error_message":"Rate Limit"}}'])
def test_a_teapot_is_a_ban_whatever_it_says(body: bytes) -> None:
    assert isinstance(verdict(418, body), BannedUntil)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Checking your browser</html>",
        b'[{"id":"bitcoin","current_p',
        b'{"prices":[[1,2.5]]}',
        b'{"status":"ok"}',
        b'\xff{"error":"x"}',
        b'{"a":' * 10_000,
        b'{"error":' + b"9" * 5000 + b"",
        b'{"error":"' + b"x" * 70_000 + b'"}',
        b"",
    ],
)
def test_whatever_is_no_error_object_is_kept_unparsed(body: bytes) -> None:
    assert verdict(200, body) == Keep()


_KEYS = st.sampled_from(["status", "error", "error_code", "error_message"])
_ERROR_LIKE = st.dictionaries(
    _KEYS,
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)


@settings(deadline=None)
@given(st.integers(100, 599), st.binary(max_size=50) | _ERROR_LIKE)
def test_no_answer_makes_it_raise(status: int, body: bytes | dict[str, Any]) -> None:
    assert isinstance(verdict(status, body), Verdict)


def test_a_long_text_is_cut_in_the_reason() -> None:
    found = verdict(400, {"error": "x" * 10_000})
    assert isinstance(found, Refuse)
    assert len(found.reason) < 400
