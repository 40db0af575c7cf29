"""The record of a batch: its row in `batches`, and the captures that were loaded by it first."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from coinlake.warehouse import BrokenRule, Loaded
from coinlake_warehouse.connection import Connection
from coinlake_warehouse.statements import statement


def record(
    session: Connection,
    *,
    kind: Literal["tail", "replay"],
    started_at: datetime,
    now: datetime,
    traceparent: str,
    quotes_read: int,
    quotes_new: int,
    rejects: int,
    candles: int,
    venue_candles: int,
    instruments: int,
) -> Loaded:
    """Puts the batch whose captures are staged on record, in the transaction at hand."""
    row = session.execute(
        statement("load/batch"),
        {
            "kind": kind,
            "started_at": started_at,
            "now": now,
            "traceparent": traceparent,
            "quotes_read": quotes_read,
            "quotes_new": quotes_new,
            "rejects": rejects,
            "candles": candles,
            "venue_candles": venue_candles,
            "instruments": instruments,
        },
    ).fetchone()
    assert row is not None
    loaded = replace(
        Loaded(*row),
        received=dict(session.execute(statement("load/received")).fetchall()),
        broken_rules=_broken_rules(session) if rejects else {},
    )
    session.execute(statement("load/loaded_captures"), {"batch_id": loaded.batch_id})
    return loaded


def _broken_rules(session: Connection) -> dict[BrokenRule, int]:
    rows = session.execute(statement("load/broken_rules")).fetchall()
    return {BrokenRule(source, stage, rule): letters for source, stage, rule, letters in rows}
