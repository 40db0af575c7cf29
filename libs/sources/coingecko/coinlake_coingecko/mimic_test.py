"""CoinGecko's behaviour, replayed: what its API is known to do, on recorded pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.testing.mimic import Answer, Mimic, Question
from coinlake.testing.recordings import Recording, load
from coinlake_coingecko import recordings
from coinlake_coingecko.mimic import CoinGeckoMimic, market_pages

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@cache
def recorded(folder: str) -> list[Recording]:
    return load(recordings.FOLDER / "coins_markets" / folder)


LAST_DAY = recorded("daily_series")[-1]


def ask(
    path: str,
    visible: Sequence[Recording] = (LAST_DAY,),
    params: Mapping[str, str] | None = None,
    *,
    mimic: Mimic | None = None,
    now: datetime = NOW,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    return (mimic or CoinGeckoMimic()).answer(Question(path, params or {}, headers or {}), visible, now)


def markets(visible: Sequence[Recording] = (LAST_DAY,), *, now: datetime = NOW, **params: object) -> Answer:
    asked = {"vs_currency": "usd", **{name: str(value) for name, value in params.items()}}
    return ask("/coins/markets", visible, asked, now=now)


def rows(body: bytes) -> list[bytes]:
    return [bytes(row) for row in msgspec.json.decode(body, type=list[msgspec.Raw])]


def test_ping_is_answered() -> None:
    assert ask("/ping").body == b'{"gecko_says":"(V3) To the Moon!"}'


@pytest.mark.parametrize(
    "day", [*recorded("daily_series"), *recorded("other_repos")], ids=lambda day: day.path.stem
)
def test_a_page_that_fits_is_served_byte_for_byte(day: Recording) -> None:
    for per_page in (100, 250):
        assert markets([day], per_page=per_page, page=1, precision="full").body == day.body


def test_a_page_holds_100_rows_unless_told_otherwise() -> None:
    [whole] = [page for page in recorded("pages") if "perpage250_250rows" in page.path.name]
    assert rows(markets([whole]).body) == rows(whole.body)[:100]


@settings(deadline=None)
@given(st.integers(1, 120), st.sampled_from(["2024-10-15", "2021-06-24"]))
def test_pages_of_any_size_hold_every_row_once_with_its_bytes_unchanged(per_page: int, day: str) -> None:
    pages = [*recorded("daily_series"), *recorded("other_repos")]
    [whole] = [page for page in pages if page.path.name.startswith(day)]
    found: list[bytes] = []
    page = 1
    while body := rows(markets([whole], per_page=per_page, page=page).body):
        assert len(body) == per_page or len(found) + len(body) == 100
        found += body
        page += 1
    assert found == rows(whole.body)
    assert all(row in whole.body for row in found)


@pytest.mark.parametrize("page", [2, 3, 1000])
def test_past_the_last_page_comes_an_empty_list(page: int) -> None:
    assert markets(page=page).body == b"[]"


def test_251_rows_a_page_are_answered_with_250_as_recorded() -> None:
    real = {page.params.get("per_page"): page for page in recorded("pages") if "_250rows_" in page.path.name}
    assert markets([real["251"]], per_page=251).body == real["251"].body
    body = b"[" + b",".join([rows(LAST_DAY.body)[0]] * 300) + b"]"
    stretched = Recording(LAST_DAY.path, lambda: body, recorded_at=NOW)
    assert len(rows(markets([stretched], per_page=251).body)) == 250
    assert len(rows(markets([stretched], per_page=251, page=2).body)) == 50


@pytest.mark.parametrize("given", [{}, {"vs_currency": ""}])
def test_a_missing_currency_is_refused_as_recorded(given: dict[str, str]) -> None:
    answer = ask("/coins/markets", params=given)
    assert (answer.status, answer.body) == (422, b'{"error":"Missing parameter vs_currency"}')


def test_a_currency_that_nobody_recorded_is_refused_rather_than_given_wrong_prices() -> None:
    for page in (1, 2):
        answer = markets(vs_currency="eur", page=page)
        assert (answer.status, answer.body) == (422, b'{"status":422,"error":"invalid vs_currency"}')


def test_before_the_first_recording_the_venue_is_out_of_service() -> None:
    assert markets([]).status == 503
    assert markets(load(recordings.ERRORS)).status == 503


def test_some_coins_come_in_the_order_of_the_page_with_their_bytes() -> None:
    found = rows(markets(ids="ethereum, bitcoin,nosuch").body)
    assert found == rows(LAST_DAY.body)[:2]
    assert rows(markets(ids="ethereum,bitcoin", per_page=1, page=2).body) == found[1:]
    assert markets(ids="nosuch").body == b"[]"


def test_some_coins_that_were_recorded_alone_come_byte_for_byte() -> None:
    few = {recording.params["ids"]: recording for recording in recorded("few_coins")}
    everything = [*recorded("few_coins"), *recorded("other_repos")]
    answer = markets(everything, ids="ethereum,bitcoin", vs_currency="eth")
    assert answer.body == few["bitcoin, ethereum"].body


def test_a_page_recorded_with_its_parameters_answers_the_same_parameters() -> None:
    pages = recorded("pages")
    for place, page in enumerate(pages, start=1):
        assert ask("/coins/markets", pages[:place], page.params).body == page.body


def test_a_second_page_never_comes_from_a_recording_that_does_not_reach_it() -> None:
    first = Recording(
        Path("a"),
        lambda: b'["1","2"]',
        url="https://h/api/v3/coins/markets?vs_currency=usd&per_page=2&page=1",
    )
    second = Recording(Path("b"), lambda: b'["3"]', url=(first.url or "").replace("page=1", "page=2"))
    newer = Recording(Path("c"), lambda: b'["4","5"]', url=first.url)
    assert markets([first, second, newer], per_page=2, page=1).body == b'["4","5"]'
    assert markets([first, second, newer], per_page=2, page=2).body == b'["3"]'
    assert markets([newer], per_page=2, page=2).body == b"[]"


def test_a_second_page_recorded_at_251_rows_answers_the_same_question() -> None:
    url = "https://h/api/v3/coins/markets?vs_currency=usd&per_page=251&page=2"
    second = Recording(Path("a"), lambda: b'["251st"]', url=url)
    assert markets([second], per_page=251, page=2).body == b'["251st"]'


def test_the_newest_of_mixed_recordings_of_the_whole_market_is_served() -> None:
    mixed = load(recordings.FOLDER)
    newest = [page for page in mixed if page.recorded_at][-1]
    assert newest.path.name.startswith("2026-04-17")
    assert markets(mixed).body == newest.body


def test_at_each_page_of_the_market_among_mixed_recordings_a_poll_is_answered() -> None:
    mixed = load(recordings.FOLDER)
    pages = market_pages(mixed, "usd")
    others = [page for page in recorded("pages") if "category" in page.params]
    others += [*recorded("few_coins"), *load(recordings.ERRORS)]
    assert {page.path for page in pages} == {page.path for page in mixed} - {page.path for page in others}
    for page in pages:
        assert page.recorded_at
        visible = [other for other in mixed if other.recorded_at and other.recorded_at <= page.recorded_at]
        assert markets(visible, per_page=100).status == 200


def test_a_body_that_is_no_list_is_served_as_it_was_recorded() -> None:
    broken = Recording(Path("a"), lambda: b"<html>", url="https://h/api/v3/coins/markets?vs_currency=usd")
    assert markets([broken]).body == b"<html>"


def test_other_endpoints_answer_with_what_was_recorded_of_them_and_else_404() -> None:
    errors = load(recordings.ERRORS)
    answer = ask("/coins/bitcoin/history", errors)
    assert (answer.status, answer.body) == (422, b'{"error":"Missing parameter date"}')
    assert answer.headers["x-request-id"]
    assert not {"transfer-encoding", "connection", "date", "content-encoding"} & set(answer.headers)
    assert ask("/coins/bitcoin/history", errors, {"date": "30-12-2017"}).status == 404
    assert ask("/nothing", errors).body == b'{"status":404,"error":"Not Found"}'


def test_a_page_is_as_old_as_its_recording_until_the_venues_cache_would_renew_it() -> None:
    assert LAST_DAY.recorded_at
    fresh = markets(now=LAST_DAY.recorded_at + timedelta(seconds=12)).headers
    assert (fresh["age"], fresh["cf-cache-status"]) == ("12", "HIT")
    stale = markets(now=LAST_DAY.recorded_at + MINUTE).headers
    assert "age" not in stale
    assert "max-age=30" in stale["cache-control"]


def test_the_call_over_the_limit_is_refused_as_recorded_until_the_minute_has_passed() -> None:
    mimic = CoinGeckoMimic(calls_per_minute=5)

    def call(seconds: int) -> Answer:
        return ask("/ping", mimic=mimic, now=NOW + timedelta(seconds=seconds))

    assert [call(seconds).status for seconds in (0, 10, 20, 30, 40, 50, 59)] == [200] * 5 + [429] * 2
    refusal = call(59)
    assert (refusal.headers["retry-after"], refusal.headers["server"]) == ("1", "cloudflare")
    assert b"You've exceeded the Rate Limit" in refusal.body
    assert [call(seconds).status for seconds in (60, 61, 70)] == [200, 429, 200]


@pytest.mark.parametrize(
    ("plan", "headers", "code"),
    [
        ("demo", {}, 10002),
        ("demo", {"x-cg-demo-api-key": "wrong"}, 10002),
        ("demo", {"x-cg-pro-api-key": "k"}, 10010),
        ("pro", {"x-cg-demo-api-key": "k"}, 10011),
        ("pro", {}, 10002),
    ],
)
def test_a_wrong_key_is_refused_as_documented(plan: str, headers: dict[str, str], code: int) -> None:
    mimic = CoinGeckoMimic(plan=plan, key="k")  # type: ignore[arg-type]
    answer = ask("/ping", mimic=mimic, headers=headers)
    assert answer.status in (400, 401)
    assert msgspec.json.decode(answer.body)["error_code"] == code


@pytest.mark.parametrize("plan", ["demo", "pro"])
def test_the_right_key_is_let_in(plan: str) -> None:
    mimic = CoinGeckoMimic(plan=plan, key="k")  # type: ignore[arg-type]
    assert ask("/ping", mimic=mimic, headers={f"x-cg-{plan}-api-key": "k"}).status == 200


def test_a_pro_key_is_told_how_many_credits_are_left_and_others_have_no_such_endpoint() -> None:
    mimic = CoinGeckoMimic(plan="pro")
    ask("/ping", mimic=mimic)
    ask("/nothing", mimic=mimic)
    usage = msgspec.json.decode(ask("/key", mimic=mimic).body)
    assert usage["current_total_monthly_calls"] == 2
    assert usage["current_remaining_monthly_calls"] == usage["monthly_call_credit"] - 2
    assert ask("/key").status == 404


def test_a_made_up_page_stays_marked_through_any_cut() -> None:
    made = Recording(LAST_DAY.path, lambda: LAST_DAY.body, recorded_at=NOW, synthetic=True)
    assert markets([LAST_DAY, made]).synthetic
    assert markets([LAST_DAY, made], per_page=7, page=3).synthetic
    assert markets([LAST_DAY, made], ids="bitcoin").synthetic
    assert not markets([LAST_DAY]).synthetic
