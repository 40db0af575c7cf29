"""The protocol of a lake: where captures rest, append-only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from coinlake.account import Entry
from coinlake.model import Capture, Held

ANOTHER_LAKE = "another_lake"
"""The rule that dead letters name which are captures of another lake than the warehouse's."""


class Lake(AbstractContextManager["Lake"], Protocol):
    """Captures at rest. There is no way to change or remove one."""

    @property
    def id(self) -> UUID:
        """The identity of this lake, made once with it; positions mean nothing in another lake."""

    def append(self, capture: Capture) -> bool:
        """Stores a capture durably; False where one of the same identity was there already."""

    def tail(self, after: int, *, captures: int, body_bytes: int) -> list[Held]:
        """The next captures behind a position, oldest first; empty when there is none yet.

        At most `captures` of them and about `body_bytes` of bodies, but always one if there is one.
        Never skips: whatever later becomes visible has a higher position than all that was returned.
        """

    def find(self, capture_id: UUID) -> Held | None:
        """The capture of that id, if this lake holds it."""

    def scan(
        self,
        *,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Held]:
        """Captures whose slot lies in [since, until), by position, without loading all at once."""

    def entries(self, after: int, until: int) -> Iterator[Entry]:
        """Positions (after, until] and the ids of their captures, by position; no body is read for it."""

    def end(self) -> int:
        """The highest position in use; 0 for an empty lake."""

    def count_after(self, position: int) -> int:
        """How many captures lie behind a position."""

    def audit(self) -> Iterator[Held]:
        """Captures whose bytes are no longer those that were stored, by their SHA-256."""


def damaged(captures: Iterable[Held]) -> Iterator[Held]:
    """Those of these captures whose bytes are no longer the ones that were stored, by their SHA-256."""
    return (held for held in captures if hashlib.sha256(held.capture.body).hexdigest() != held.capture.sha256)
