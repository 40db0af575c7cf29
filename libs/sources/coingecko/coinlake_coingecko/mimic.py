"""How CoinGecko's API answers, for the replay server: paths, parameters, paging, headers, keys, limits.

Rows are cut out of recorded pages byte for byte. What was never recorded is never made up: a currency
nobody recorded is refused, and the order of rows is always the recorded one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from coinlake.testing.mimic import Answer, Question
from coinlake.testing.recordings import Recording, load
from coinlake_coingecko import recordings
from coinlake_coingecko.requests import PAGE_ROWS
from coinlake_coingecko.settings import PLANS

_JSON = {"content-type": "application/json; charset=utf-8"}
_FRESH_S = 30
"""Seconds for which the venue's cache serves a page again: `max-age` of the recorded answers."""
_CACHED = {**_JSON, "cache-control": f"max-age={_FRESH_S}, public, must-revalidate, s-maxage={_FRESH_S}"}
_WINDOW = timedelta(minutes=1)
_DEFAULT_PER_PAGE = 100


class _Row(msgspec.Struct):
    id: str
    current_price: msgspec.Raw


_Market = tuple[str, frozenset[str], str]
"""Quote currency, ids (none for all coins) and category of a page."""

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Row)


class CoinGeckoMimic:
    """A `coinlake.testing.mimic.Mimic`. Without a limit it never says 429; without a key it asks for none."""

    base = "/api/v3"

    def __init__(
        self,
        *,
        plan: Literal["keyless", "demo", "pro"] = "keyless",
        key: str | None = None,
        calls_per_minute: int | None = None,
    ) -> None:
        self._plan = plan
        self._key = key
        self._calls_per_minute = calls_per_minute
        self._called: deque[datetime] = deque()
        self._credits_used = 0

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        """CoinGecko's answer at `now`."""
        refusal = self._wrong_key(question.headers) or self._over_limit(now)
        if refusal:
            return refusal
        answer = self._found(question, visible, now)
        self._credits_used += answer.status == 200
        return answer

    def _found(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        if question.path == "/ping":
            return Answer(headers=_JSON, body=b'{"gecko_says":"(V3) To the Moon!"}')
        if question.path == "/key" and self._plan == "pro":
            return self._usage()
        if question.path == "/coins/markets":
            return self._markets(question.params, visible, now)
        for recording in reversed(visible):
            if recording.endpoint == self.base + question.path and recording.params == question.params:
                headers = _JSON | recording.headers_to_serve
                return Answer(recording.status, headers, recording.body, recording.synthetic)
        return _error(404, "Not Found")

    def _markets(self, asked: Mapping[str, str], visible: Sequence[Recording], now: datetime) -> Answer:
        if not asked.get("vs_currency"):
            return Answer(422, _JSON, _error_recorded("coins_markets_422_2021-07-19T031550Z.json").body)
        per_page, page = _number(asked, "per_page", _DEFAULT_PER_PAGE), _number(asked, "page", 1)
        for recording in _of_market(visible, _market(asked)):
            body = _page(recording, min(per_page, PAGE_ROWS), page)
            if body is not None:
                return Answer(200, _age(recording, now), body, recording.synthetic)
        if asked.get("ids"):
            return self._few(asked, visible, now)
        return _not_recorded(asked, visible)

    def _few(self, asked: Mapping[str, str], visible: Sequence[Recording], now: datetime) -> Answer:
        """The rows of some coins, out of a page of all."""
        whole = self._markets({**asked, "ids": "", "per_page": str(PAGE_ROWS), "page": "1"}, visible, now)
        if whole.status != 200:
            return whole
        ids = {name.strip() for name in asked["ids"].split(",")}
        rows = [row for row in _rows.decode(whole.body) if _row.decode(row).id in ids]
        per_page, page = _number(asked, "per_page", _DEFAULT_PER_PAGE), _number(asked, "page", 1)
        return Answer(200, whole.headers, _cut(rows, min(per_page, PAGE_ROWS), page), whole.synthetic)

    def _wrong_key(self, headers: Mapping[str, str]) -> Answer | None:
        header = PLANS[self._plan].key_header
        if self._key is None or header is None or headers.get(header) == self._key:
            return None
        if self._plan == "demo" and PLANS["pro"].key_header in headers:
            return _error_code(400, 10010, "If you are using Pro API key, please change your root URL")
        if self._plan == "pro" and PLANS["demo"].key_header in headers:
            return _error_code(400, 10011, "If you are using Demo API key, please change your root URL")
        return _error_code(401, 10002, "API Key Missing")

    def _over_limit(self, now: datetime) -> Answer | None:
        while self._called and self._called[0] <= now - _WINDOW:
            self._called.popleft()
        if self._calls_per_minute is None or len(self._called) < self._calls_per_minute:
            self._called.append(now)
            return None
        recorded = _error_recorded("429_2022-09-29.json")
        wait_s = math.ceil((self._called[0] + _WINDOW - now).total_seconds())
        return Answer(429, {**recorded.headers, "retry-after": str(wait_s)}, recorded.body)

    def _usage(self) -> Answer:
        """What `GET /key` says of a Pro key; the call itself counts."""
        budget, used = PLANS["pro"].credits_per_month or 0, self._credits_used + 1
        usage = {
            "plan": "Basic",
            "rate_limit_request_per_minute": self._calls_per_minute or PLANS["pro"].calls_per_minute,
            "monthly_call_credit": budget,
            "current_total_monthly_calls": used,
            "current_remaining_monthly_calls": budget - used,
        }
        return Answer(headers=_JSON, body=msgspec.json.encode(usage))


def _market(params: Mapping[str, str]) -> _Market:
    """What a page is about; what was recorded without a URL is taken as the whole market in dollars."""
    ids = frozenset(name.strip() for name in params.get("ids", "").split(",") if name.strip())
    return params.get("vs_currency", "usd").lower(), ids, params.get("category", "")


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    given = params.get(name, "")
    return max(1, int(given)) if given.isascii() and given.isdigit() else default


def market_pages(mixed: Iterable[Recording], vs_currency: str) -> list[Recording]:
    """The recordings, among any, that a poll of the whole market in that currency is answered from."""
    market = _market({"vs_currency": vs_currency})
    return [
        recording for recording in mixed if _market(recording.params) == market and _is_markets(recording)
    ]


def _of_market(visible: Sequence[Recording], market: _Market) -> Iterator[Recording]:
    """Recorded pages of a market, newest first."""
    for recording in reversed(visible):
        if _market(recording.params) == market and _is_markets(recording):
            yield recording


def _is_markets(recording: Recording) -> bool:
    if recording.status != 200:
        return False
    if recording.endpoint is not None:
        return recording.endpoint.endswith("/coins/markets")
    return _holds_markets(recording.path)


@cache
def _holds_markets(file: Path) -> bool:
    """Whether a file that came without a URL is a page of `coins/markets`, by its first row."""
    try:
        _row.decode(_rows.decode(file.read_bytes())[0])
    except (ValueError, RecursionError, IndexError):
        return False
    return True


def _not_recorded(asked: Mapping[str, str], visible: Sequence[Recording]) -> Answer:
    """The refusal of a page that no recording reaches: a page past the end, a currency, or all there is."""
    if any(_of_market(visible, _market(asked))):
        return Answer(200, _CACHED, b"[]")
    known = [recording for recording in visible if _is_markets(recording)]
    currencies = {_market(recording.params)[0] for recording in known}
    if known and _market(asked)[0] not in currencies:
        return _error(422, "invalid vs_currency")
    return _error(404, "Not Found") if known else _error(503, "Service Unavailable")


def _page(recording: Recording, per_page: int, page: int) -> bytes | None:
    """A page out of a recorded one, untouched where it fits; None if the recording does not reach there."""
    recorded_page = _number(recording.params, "page", 1)
    recorded_size = min(_number(recording.params, "per_page", _DEFAULT_PER_PAGE), PAGE_ROWS)
    body = recording.body
    if (recorded_page, recorded_size) == (page, per_page) and recording.url:
        return body
    if recorded_page != 1:
        return None
    try:
        rows = _rows.decode(body)
    except (ValueError, RecursionError):
        return body if page == 1 else None
    if page == 1 and len(rows) <= per_page:
        return body
    is_whole_market = recording.url is None or len(rows) < recorded_size
    return _cut(rows, per_page, page) if is_whole_market or (page - 1) * per_page < len(rows) else None


def _cut(rows: Sequence[msgspec.Raw], per_page: int, page: int) -> bytes:
    first = (page - 1) * per_page
    return b"[" + b",".join(bytes(row) for row in rows[first : first + per_page]) + b"]"


def _age(recording: Recording, now: datetime) -> dict[str, str]:
    """Headers of a page that the venue's cache may have served again, `age` seconds after it was made."""
    age_s = int((now - recording.recorded_at).total_seconds()) if recording.recorded_at else _FRESH_S
    if age_s < _FRESH_S:
        return {**_CACHED, "age": str(age_s), "cf-cache-status": "HIT"}
    return {**_CACHED, "cf-cache-status": "EXPIRED"}


@cache
def _error_recorded(name: str) -> Recording:
    return next(recording for recording in load(recordings.ERRORS) if recording.path.name == name)


def _error(status: int, text: str) -> Answer:
    return Answer(status, _JSON, msgspec.json.encode({"status": status, "error": text}))


def _error_code(status: int, code: int, text: str) -> Answer:
    return Answer(status, _JSON, msgspec.json.encode({"error_code": code, "status": {"error_message": text}}))
