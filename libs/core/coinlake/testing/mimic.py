"""What a source's package tells the replay server about its venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from coinlake.testing.recordings import Recording


@dataclass(frozen=True, slots=True)
class Question:
    """One GET as it came: the path below the API's root, unquoted, and header names in lower case."""

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue would say. The server adds `date`, `content-length` and the mark of made-up pages."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    synthetic: bool = False


class Mimic(Protocol):
    """Answers as a venue does, from recordings. The server asks it one question at a time."""

    @property
    def base(self) -> str:
        """The path of the API's root, such as `/api/v3`; "" if it has none."""

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        """The venue's answer at `now`, if the `visible` recordings are all that has happened yet.

        `visible` is in order of time and begins with those that have none.
        """
