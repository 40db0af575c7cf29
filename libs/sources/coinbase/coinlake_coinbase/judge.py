"""What Coinbase's refusals mean, by their status and their `{"message"}`.

Nothing is parsed before it is stored: an answer under 200 that is no error object is kept, whatever it is.
How long to wait is left to the core, which reads `Retry-After`.
"""

from __future__ import annotations

import re

import msgspec

from coinlake.model import BannedUntil, Keep, Refuse, Response, RetryAfter, Verdict

_ERROR_BYTES = 64 * 1024
"""No error body is longer; a longer body is not looked into."""
_REASON_LETTERS = 300
_FIREWALL_S = 300
"""How long its firewall is left alone: it does not say, and every further call may prolong a block."""
_LIMIT = re.compile(r"rate limit|too many requests", re.IGNORECASE)
_NOT_FOUND = re.compile(r"not ?found", re.IGNORECASE)


class _Error(msgspec.Struct):
    message: str


_error = msgspec.json.Decoder(_Error)


def judge(response: Response) -> Verdict:
    """Keep, wait or give up; never raises."""
    message = _message_in(response.body)
    status = response.status
    if message is None and status == 200:
        return Keep()
    said = f"HTTP {status}" + ("" if message is None else f", {message[:_REASON_LETTERS]!r}")
    if status == 429 or _LIMIT.search(message or ""):
        return RetryAfter(f"Coinbase's limit is reached ({said})")
    if status in (403, 418):
        return BannedUntil(
            f"Coinbase's firewall blocks this address for now ({said}); if that goes on, poll less, or ask "
            "from another address",
            _FIREWALL_S,
        )
    if status == 451:
        return Refuse(
            f"Coinbase does not answer from where this address is ({said}): take out [sources.coinbase], or "
            "set sources.coinbase.root to where its API is open to you"
        )
    if status == 404 or (status == 200 and _NOT_FOUND.search(message or "")):
        return Refuse(f"Coinbase has no such product: take it out of sources.coinbase.products ({said})")
    if status == 408 or status >= 500:
        return RetryAfter(f"Coinbase cannot answer now ({said})")
    return Refuse(f"Coinbase refuses the request ({said})")


def _message_in(body: bytes) -> str | None:
    """What an error object says; None for any other body. A product's own texts are under other keys."""
    if len(body) > _ERROR_BYTES or not body.lstrip().startswith(b"{"):
        return None
    try:
        return _error.decode(body).message
    except (ValueError, RecursionError):
        return None
