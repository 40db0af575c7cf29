"""The view of batches: what each one loaded, how long it took, and its trace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import ui

from coinlake_cli.page.desk import Desk
from coinlake_cli.page.elements import EmptyState
from coinlake_cli.page.frame import frame
from coinlake_cli.page.tables import Column, Table
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
            self._table = Table("Newest batches", _COLUMNS).classes("batches")
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
    badges = [{"text": batch.kind}] if batch.kind != "tail" else []
    positions = f"Positions {batch.first_position} to {batch.last_position}"
    return {
        "key": batch.batch_id,
        "named": f"batch {batch.batch_id}",
        "cells": {
            "batch": {"text": str(batch.batch_id), "badges": badges},
            "age": {"text": ago(batch.committed_at, now), "title": f"{moment(batch.committed_at)} UTC"},
            "captures": {"text": count(batch.captures), "title": positions},
            "read": {"text": count(batch.quotes_read)},
            "new": {"text": count(batch.quotes_new)},
            "rejects": {"text": count(batch.rejects), "of": "some" if batch.rejects else ""},
            "candles": {"text": count(batch.candles)},
            "took": {"text": span(batch.committed_at - batch.started_at)},
            "lag": {"text": span(batch.lag)},
            "trace": {"text": batch.trace_id},
        },
    }


_COLUMNS = (
    Column("batch", "Batch", "num", heads=True),
    Column("age", "Committed", "num"),
    Column("captures", "Captures", "num wide"),
    Column("read", "Read", "num wide"),
    Column("new", "Written", "num"),
    Column("rejects", "Rejects", "num"),
    Column("candles", "Candles", "num wide"),
    Column("took", "Took", "num wide"),
    Column("lag", "Lag", "num"),
    Column("trace", "Trace", "trace wide"),
)
