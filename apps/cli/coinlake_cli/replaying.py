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


def replay_letters(deployment: Deployment, letters: Sequence[tuple[UUID, str]]) -> str:
    """Reads the captures of these dead letters again, each once, and says how it went."""
    wanted = dict.fromkeys(capture_id for capture_id, _ in letters)
    found = [deployment.lake.find(capture_id) for capture_id in wanted]
    held = (one for one in found if one is not None)
    missing = found.count(None)
    said = str(replay_captures(deployment, held))
    return said if not missing else f"{said} {missing:,} are not in this lake."
