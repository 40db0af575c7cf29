"""Reading captures again: what `coinlake replay` and the page's replay buttons do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from coinlake.model import Held
from coinlake_cli.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Replayed:
    """What reading captures again came to."""

    captures: int
    quotes_new: int
    rejects: int
    """Rows of these captures that are still refused."""

    def __str__(self) -> str:
        return (
            f"Read {self.captures:,} captures again: {self.quotes_new:,} quotes are new, "
            f"{self.rejects:,} rows are still refused."
        )


def replay_captures(deployment: Deployment, captures: Iterable[Held]) -> Replayed:
    """Refines and loads captures again; doing it twice changes nothing."""
    read = 0

    def counted() -> Iterator[Held]:
        nonlocal read
        for held in captures:
            read += 1
            yield held

    loaded = list(deployment.pipeline.replay(counted()))
    return Replayed(read, sum(one.quotes_new for one in loaded), sum(one.rejects for one in loaded))


def captures_of(deployment: Deployment, letters: Iterable[tuple[UUID, str]]) -> Iterator[Held]:
    """The captures of dead letters, each once and read when it is wanted; no other is read.

    Left out are those that the lake does not hold: of messages that name no capture of it.
    """
    for capture_id in dict.fromkeys(capture_id for capture_id, _ in letters):
        if held := deployment.lake.find(capture_id):
            yield held


def replay_letters(deployment: Deployment, letters: Sequence[tuple[UUID, str]]) -> str:
    """Reads the captures of these dead letters again, each once, and says how it went."""
    replayed = replay_captures(deployment, captures_of(deployment, letters))
    missing = len({capture_id for capture_id, _ in letters}) - replayed.captures
    return f"{replayed} {missing:,} are not in this lake." if missing else str(replayed)
