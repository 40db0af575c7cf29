"""What every view works with, handed to it by the program."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coinlake.state import FeedState
from coinlake_cli.page.shelf import Shelf

Replay = Callable[[Sequence[tuple[UUID, str]]], Awaitable[str]]
"""Tries dead letters (capture id, path) again and says in a sentence what came of it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The shared answers of the warehouse, the feeds of this program, its clock, and how to replay."""

    shelf: Shelf
    feeds: Callable[[], list[FeedState]]
    replay: Replay
    now: Callable[[], datetime]
    banner: str | None
