"""What an answer means for the fetcher: keep it, wait, or give up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict
from coinlake.source import Source

_BAN_S = 120
"""A ban that does not say how long it lasts; Binance's shortest."""


def verdict_on(source: Source, response: Response) -> Verdict:
    """The source's judgement, completed by what every venue means by its status and headers.

    Only a 2xx is ever kept, whatever the source says; a pause or ban lasts as long as the headers say
    where the source does not.
    """
    asked_s = retry_after_s(response.headers, response.received_at)
    try:
        verdict = source.judge(response)
    except Exception as error:  # a plugin's defect costs this answer, not the process
        said = f"{type(error).__name__}: {error}"
        verdict = Refuse(f"source {source.name} cannot judge an HTTP {response.status} answer ({said})")
    if isinstance(verdict, Keep):
        by_status = _by_status(response.status, asked_s)
        return verdict if isinstance(by_status, Keep) else by_status
    if isinstance(verdict, RetryAfter) and verdict.after_s is None:
        return replace(verdict, after_s=asked_s)
    if isinstance(verdict, BannedUntil):
        return replace(verdict, after_s=max(verdict.after_s, asked_s or 0))
    return verdict


def _by_status(status: int, asked_s: float | None) -> Verdict:
    said = f"HTTP {status}"
    if 200 <= status < 300:
        return Keep()
    if status == 429:
        return RetryAfter(f"too many calls ({said})", asked_s)
    if status == 418:
        return BannedUntil(f"banned ({said})", asked_s or _BAN_S)
    if status in (408, 425) or status >= 500:
        return RetryAfter(said, asked_s)
    return Refuse(f"refused with {said}")


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds a venue asks to wait: `retry-after-ms`, else `Retry-After` in seconds or as an HTTP date.

    A date counts from the answer's own `Date` where it has one, as the two clocks may differ. Never
    negative; None where nothing sensible is said. Header names in lower case.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None:
        return seconds
    moment = _http_date(said)
    if moment is None:
        return None
    return max(0.0, (moment - (_http_date(headers.get("date")) or now)).total_seconds())


def _number(text: str | None) -> float | None:
    match = re.fullmatch(r"\s*(\d{1,15}(\.\d{1,15})?)\s*", text or "", re.ASCII)
    return float(match[1]) if match else None


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
