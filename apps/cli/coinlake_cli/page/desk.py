"""What every view works with, handed to it by the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from coinlake.state import FeedState
from coinlake_cli.alerts.episodes import Episode
from coinlake_cli.lag import Hop
from coinlake_cli.page.shelf import Shelf

Replay = Callable[[Sequence[tuple[UUID, str]]], Awaitable[str]]
"""Tries dead letters (capture id, path) again and says in a sentence what came of it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of what a venue allows in a period: "month", or the length of a window such as "60s"."""

    source: str
    period: str
    limit: int
    left: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the program fares; each is asked in a thread, while people look. Errors as of `Reader`."""

    alerts: Callable[[], Sequence[Episode] | None] = lambda: None
    """What is wrong now, and then what was; None where nobody watches."""
    watched_elsewhere: bool = False
    """By what the page does not ask: Prometheus."""
    hops: Callable[[], Sequence[Hop]] = list
    allowances: Callable[[], Sequence[Allowance]] = list


@dataclass(frozen=True, slots=True)
class Desk:
    """The shared answers of the warehouse, the feeds of this program, its clock, and how to replay."""

    shelf: Shelf
    feeds: Callable[[], list[FeedState]]
    replay: Replay
    now: Callable[[], datetime]
    banner: str | None
    vitals: Vitals = field(default_factory=Vitals)
