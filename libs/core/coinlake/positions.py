"""How far publishing got: one mark a lake and topic, moved by compare-and-set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mark:
    """Every capture up to `position` was acknowledged by the topic of that id."""

    position: int = 0
    topic_id: str = ""
    """Of the very topic: one that was deleted and made again has another, and holds nothing of ours."""


class Positions(Protocol):
    """Where the mark of one lake and topic is kept, durably. Raises `TryAgain` while it cannot be."""

    def read(self) -> Mark:
        """The mark; `Mark()` at first."""

    def move(self, before: Mark, after: Mark) -> bool:
        """Sets the mark where it is still `before`; False, with nothing changed, where it is not."""
