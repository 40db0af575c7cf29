"""What each engine records of a batch: the same numbers, whoever refines."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from opentelemetry.trace import Span

from coinlake.telemetry import metrics, tracing
from coinlake.telemetry.declaring import OTHER
from coinlake.warehouse import Loaded

Engine = Literal["embedded", "spark"]
Kind = Literal["tail", "replay"]

_RULE = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""What a rule is called. A reason that begins otherwise must not make a series of its own."""


def committed(
    engine: Engine,
    kind: Kind,
    loaded: Loaded,
    *,
    since_ns: int,
    now: datetime,
    batch: Span,
    traceparents: Iterable[str],
) -> None:
    """Records a batch that was begun at `since_ns` (of `time.time_ns`) and has just been committed.

    `now` is by the clock that says when captures were received; `traceparents` are theirs.
    """
    named = {"engine": engine, "kind": kind}
    ended(engine, kind, since_ns=since_ns)
    metrics.LAST_COMMIT.set(time.time(), engine=engine)
    metrics.LOADED_CAPTURES.add(sum(map(len, loaded.received.values())), **named)
    for table, rows in (
        ("quotes", loaded.quotes_new),
        ("candles", loaded.candles),
        ("venue_candles", loaded.venue_candles),
        ("instruments", loaded.instruments),
        ("dead_letters", loaded.rejects),
    ):
        if rows:
            metrics.LOADED_ROWS.add(rows, **named, table=table)
    for (source, stage, rule), letters in loaded.broken_rules.items():
        known = rule if _RULE.fullmatch(rule) else OTHER
        metrics.DEAD_LETTERS.add(letters, source=source, stage=stage, rule=known)
    if kind == "tail":
        for source, moments in loaded.received.items():
            for received_at in moments:
                metrics.CAPTURE_DELAY.record(
                    (now - received_at).total_seconds(), engine=engine, source=source
                )
    about = {"coinlake.batch_id": loaded.batch_id, "coinlake.engine": engine}
    batch.set_attributes(about | {"coinlake.kind": kind, "coinlake.quotes_new": loaded.quotes_new})
    tracing.took_along(traceparents, batch, "load", about, since_ns=since_ns)


def ended(engine: Engine, kind: Kind, *, since_ns: int, error: BaseException | None = None) -> None:
    """Records how long a batch took, and the error that ended it."""
    metrics.BATCH_DURATION.record(
        (time.time_ns() - since_ns) / 1e9, engine=engine, kind=kind, error=metrics.kind_of(error)
    )
