"""What CoinGecko's refusals mean: by their body first, as one may come under HTTP 200.

Nothing is parsed before it is stored: an answer under 200 that is not one of CoinGecko's error objects is
kept, whatever it is. How long to wait is left to the core, which reads `Retry-After` in all its forms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict

_ERROR_BYTES = 64 * 1024
"""No error body is longer; a longer body is not looked into."""
_REASON_LETTERS = 300
_BAN_S = 120
"""CoinGecko documents no ban; a 418 that does not say how long it lasts is taken as a short one."""

_SETTINGS_TO_CHANGE = {
    401: "it does not accept the key: check sources.coingecko.api_key and .plan",
    403: "it denies access: check sources.coingecko.plan and .api_key, or whether your address is blocked",
    10002: "it wants a key: set sources.coingecko.api_key, and .plan to the key's plan",
    10005: "your plan does not include this: change sources.coingecko.plan, .top or .vs_currency",
    10010: 'the key is one of a Pro plan: set sources.coingecko.plan to "pro"',
    10011: 'the key is one of a Demo plan: set sources.coingecko.plan to "demo"',
}


class _Error(NamedTuple):
    code: int | None
    text: str


def judge(response: Response) -> Verdict:
    """Keep, wait or give up; never raises."""
    error = _error(response.body)
    if error is None and response.status == 200:
        return Keep()
    code = (error.code if error else None) or response.status
    said = f"HTTP {response.status}"
    if error:
        said += f", {error.text[:_REASON_LETTERS]!r}"
    if response.status == 418:
        return BannedUntil(f"CoinGecko has banned this address ({said})", _BAN_S)
    if code == 429 or "rate limit" in said.lower():
        return RetryAfter(f"CoinGecko's rate limit is reached ({said})")
    if code == 408 or 500 <= code < 600 or "temporarily unavailable" in said:
        return RetryAfter(f"CoinGecko cannot answer now ({said})")
    if code in _SETTINGS_TO_CHANGE:
        return Refuse(f"CoinGecko refuses: {_SETTINGS_TO_CHANGE[code]} ({said})")
    return Refuse(f"CoinGecko refuses the request ({said})")


def _error(body: bytes) -> _Error | None:
    """The error in one of the forms seen: `{"status": {"error_code", "error_message"}}`, the same with
    `error_code` at the top, `{"status": 500, "error": text}` and `{"error": text}`."""
    if len(body) > _ERROR_BYTES or not body.lstrip().startswith(b"{"):
        return None
    try:
        answer: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):
        return None
    status = answer.get("status")
    told = {**answer, **status} if isinstance(status, dict) else answer
    if "error_code" not in told and "error" not in answer:
        return None
    code = told.get("error_code", status)
    text = told.get("error_message", told.get("error", ""))
    return _Error(code if isinstance(code, int) else None, str(text))
