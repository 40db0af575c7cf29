"""The captures that an account names, as people think of them: by source, dataset and slots."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from coinlake.account import Entry
from coinlake.model import Held


@dataclass(frozen=True, slots=True)
class Group:
    """Captures of one dataset."""

    source: str
    dataset: str
    captures: int
    first_slot: datetime
    last_slot: datetime

    def __str__(self) -> str:
        first, last = (slot.isoformat(" ", "minutes") for slot in (self.first_slot, self.last_slot))
        slots = f"slot {first}" if first == last else f"slots {first} to {last}"
        return f"{self.source}/{self.dataset}: {self.captures}, {slots}"


class Finding(Protocol):
    """A lake in which captures are found by their ids."""

    def find(self, capture_id: UUID) -> Held | None:
        """The capture of that id, if this lake holds it."""


def grouped(lake: Finding, entries: Iterable[Entry]) -> list[Group]:
    """Those of the entries that the lake holds, by source and dataset. Reads each capture, one by one."""
    groups: dict[tuple[str, str], Group] = {}
    for entry in entries:
        held = lake.find(entry.capture_id)
        if held is None:
            continue
        source, dataset, slot = held.capture.source, held.capture.dataset, held.capture.slot
        so_far = groups.get((source, dataset), Group(source, dataset, 0, slot, slot))
        groups[source, dataset] = Group(
            source,
            dataset,
            so_far.captures + 1,
            min(so_far.first_slot, slot),
            max(so_far.last_slot, slot),
        )
    return [groups[dataset] for dataset in sorted(groups)]
