"""The view of batches: what each one loaded, how long it took, and its trace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import ui

from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import EmptyState
from coinlake_cli.page.frame import frame
from coinlake_cli.page.tables import Table
from coinlake_cli.page.wording import ago, count, moment, span
from coinlake_warehouse.reading import BatchRecord

_ROWS = 100


def register(desk: Desk) -> None:
    """Makes the view reachable."""

    @ui.page("/batches")
    async def show() -> None:
        with frame(desk, "Batches", "/batches") as live:
            view = _Batches(desk)
            await live.follow(view.refresh)


class _Batches:
    """One open page of batches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with ui.element("section").classes("panel"):
            self._table = Table("Newest batches", _COLUMNS, _BODY).classes("batches")
            self._empty = EmptyState(
                "inventory_2",
                "No batch yet",
                "The first one comes a moment after the first capture is stored.",
            )

    async def refresh(self) -> None:
        """Shows what is newest."""
        batches = await self._desk.shelf.ask("batches", lambda reader: reader.batches(limit=_ROWS))
        now = self._desk.now()
        rows = [_row(batch, now) for batch in batches]
        self._table.show(rows)
        self._table.set_visibility(bool(rows))
        self._empty.set_visibility(not rows)


def _row(batch: BatchRecord, now: datetime) -> dict[str, Any]:
    return {
        "key": batch.batch_id,
        "kind": batch.kind,
        "age": ago(batch.committed_at, now),
        "at": f"{moment(batch.committed_at)} UTC",
        "captures": count(batch.captures),
        "positions": f"Positions {batch.first_position} to {batch.last_position}",
        "read": count(batch.quotes_read),
        "new": count(batch.quotes_new),
        "rejects": count(batch.rejects),
        "some": batch.rejects > 0,
        "candles": count(batch.candles),
        "lag": span(batch.lag),
        "took": span(batch.committed_at - batch.started_at),
        "trace": batch.trace_id,
    }


_COLUMNS = (
    ("batch", "Batch", "num"),
    ("age", "Committed", "num"),
    ("captures", "Captures", "num wide"),
    ("read", "Read", "num wide"),
    ("new", "Written", "num"),
    ("rejects", "Rejects", "num"),
    ("candles", "Candles", "num wide"),
    ("took", "Took", "num wide"),
    ("lag", "Lag", "num"),
    ("trace", "Trace", "trace wide"),
)

_BODY = r"""
<q-tr>
  <th scope="row" class="num">{{ props.row.key }}
    <span v-if="props.row.kind !== 'tail'" class="badge">{{ props.row.kind }}</span></th>
  <td class="num" :title="props.row.at">{{ props.row.age }}</td>
  <td class="num wide" :title="props.row.positions">{{ props.row.captures }}</td>
  <td class="num wide">{{ props.row.read }}</td>
  <td class="num">{{ props.row.new }}</td>
  <td class="num" :class="{ some: props.row.some }">{{ props.row.rejects }}</td>
  <td class="num wide">{{ props.row.candles }}</td>
  <td class="num wide">{{ props.row.took }}</td>
  <td class="num">{{ props.row.lag }}</td>
  <td class="trace wide"><code>{{ props.row.trace }}</code></td>
</q-tr>
"""
