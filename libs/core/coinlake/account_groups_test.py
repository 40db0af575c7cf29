"""Missing captures are told by source, dataset and the slots they span."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from coinlake.account import Entry
from coinlake.account_groups import Group, grouped
from coinlake.model import Held
from coinlake.testing.lake_contract import SLOT, capture


class Lake:
    """As much of a lake as grouping reads."""

    def __init__(self, held: list[Held]) -> None:
        self._held = {one.capture.id: one for one in held}

    def find(self, capture_id: UUID) -> Held | None:
        return self._held.get(capture_id)


def test_captures_are_grouped_by_dataset_with_the_slots_they_span() -> None:
    later, earlier = SLOT + timedelta(minutes=3), SLOT - timedelta(days=1)
    held = [
        Held(1, capture(1)),
        Held(2, capture(1, slot=later)),
        Held(3, capture(2, slot=earlier)),
        Held(4, capture(1, source="another")),
    ]
    entries = [Entry(one.position, one.capture.id) for one in held]
    groups = grouped(Lake(held), [*entries, Entry(5, UUID(int=5))])
    assert groups == [
        Group("another", "markets", 1, SLOT, SLOT),
        Group("venue", "markets", 3, earlier, later),
    ]
    assert list(map(str, groups)) == [
        "another/markets: 1, slot 2026-03-01 12:03+00:00",
        "venue/markets: 3, slots 2026-02-28 12:03+00:00 to 2026-03-01 12:06+00:00",
    ]
