"""Faults a replay server can be told to commit, by name and schedule: all that venues and networks do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

from coinlake.errors import FixConfiguration
from coinlake.settings import unknown
from coinlake.testing.mimic import Answer

_JSON = {"content-type": "application/json; charset=utf-8"}
_HTML = {"content-type": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Delivery:
    """An answer and how it goes over the wire."""

    answer: Answer
    claimed_bytes: int | None = None
    """A `content-length` other than the body's; the connection is closed after the body."""
    byte_every_s: float = 0
    """Real seconds between two bytes of the body; 0 sends it in one go."""
    silent: bool = False
    """Nothing is sent at all, until one side leaves."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of every `every`-th call, at most `times` times; `kind` is one of `KINDS`."""

    kind: str
    every: int = 1
    times: int | None = None
    status: int = 500
    """The status of kind "status"."""
    after_s: int = 2
    """What the answer asks to wait for, in seconds of the replay's clock."""
    byte_every_s: float = 1
    """The pace of kind "drip", in real seconds."""
    body_bytes: int = 64 * 1024 * 1024
    """The size of kind "huge"."""
    body: bytes = field(default=b'{"status":{"error_code":429,"error_message":"Rate Limit"}}', repr=False)
    """The body of kinds that refuse."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FixConfiguration(unknown("fault", self.kind, list(KINDS)))

    def strikes(self, call: int) -> bool:
        """Whether the `call`-th call (from 1) is to go wrong."""
        return call % self.every == 0 and (self.times is None or call // self.every <= self.times)

    def spoil(self, answer: Answer, now: datetime) -> Delivery:
        """The answer as the fault makes it."""
        return KINDS[self.kind](self, answer, now)


def _refusal(fault: Fault, status: int, headers: Mapping[str, str] | None = None) -> Delivery:
    return Delivery(Answer(status, {**_JSON, **(headers or {})}, fault.body))


def _retry_after_date(fault: Fault, answer: Answer, now: datetime) -> Delivery:
    moment = format_datetime(now + timedelta(seconds=fault.after_s), usegmt=True)
    return _refusal(fault, 429, {"retry-after": moment})


def _half(answer: Answer) -> Answer:
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def _huge(fault: Fault, answer: Answer, now: datetime) -> Delivery:
    return Delivery(replace(answer, body=b"[" + b" " * (fault.body_bytes - 2) + b"]"))


def _invalid_utf8(fault: Fault, answer: Answer, now: datetime) -> Delivery:
    middle = len(answer.body) // 2
    return Delivery(replace(answer, body=answer.body[:middle] + b"\xff\xfe" + answer.body[middle:]))


KINDS: Mapping[str, Callable[[Fault, Answer, datetime], Delivery]] = {
    "status": lambda fault, answer, now: _refusal(fault, fault.status),
    "retry_after_ms": lambda fault, answer, now: _refusal(
        fault, 429, {"retry-after-ms": str(fault.after_s * 1000)}
    ),
    "retry_after_s": lambda fault, answer, now: _refusal(fault, 429, {"retry-after": str(fault.after_s)}),
    "retry_after_date": _retry_after_date,
    "retry_after_none": lambda fault, answer, now: _refusal(fault, 429),
    "ban": lambda fault, answer, now: _refusal(fault, 418, {"retry-after": str(fault.after_s)}),
    "error_under_200": lambda fault, answer, now: _refusal(fault, 200),
    "html_under_200": lambda fault, answer, now: Delivery(
        Answer(200, _HTML, b"<!DOCTYPE html><html><body>Checking your browser</body></html>")
    ),
    "truncated": lambda fault, answer, now: Delivery(_half(answer), claimed_bytes=len(answer.body)),
    "cut_json": lambda fault, answer, now: Delivery(_half(answer)),
    "invalid_utf8": _invalid_utf8,
    "huge": _huge,
    "hang": lambda fault, answer, now: Delivery(answer, silent=True),
    "drip": lambda fault, answer, now: Delivery(answer, byte_every_s=fault.byte_every_s),
    "redirect": lambda fault, answer, now: Delivery(Answer(302, {"location": "https://elsewhere.example/"})),
}
"""Every fault by name."""
