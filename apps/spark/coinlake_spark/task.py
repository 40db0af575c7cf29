"""What runs in Spark's Python workers: messages in; rows staged in PostgreSQL; a line about it out.

The rows never come back to Spark: they are as many as the batch has, and the lines as few as its tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from coinlake import settings as settings_loading
from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.telemetry import tracing
from coinlake_bus.arrow import decode_batch
from coinlake_spark.parts import refinery, warehouse_dsn
from coinlake_warehouse.attempts import Stager

MESSAGE = ("key", "value", "headers", "topic", "partition", "offset", "timestamp")
"""What a task reads of Spark's Kafka source."""

LINE = (
    "attempt string, rows long, traces array<string>, partition int, first long, next long, fault string, "
    "is_fatal boolean"
)
"""What it answers, as Spark writes schemas. A line tells of an attempt, the rows it staged and the traces of
its captures that somebody records; or of offsets [first, next) of a partition that were read; or of a fault,
for which a person is needed where it is fatal."""

_LINE = pa.schema(
    [
        ("attempt", pa.string()),
        ("rows", pa.int64()),
        ("traces", pa.list_(pa.string())),
        ("partition", pa.int32()),
        ("first", pa.int64()),
        ("next", pa.int64()),
        ("fault", pa.string()),
        ("is_fatal", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Task:
    """Stages messages. It is sent to the workers as it is, so it holds a name and no connection."""

    config: Path | None
    """The settings file, which every worker can read; secrets are in its environment."""
    tells_traces: bool = False
    """Whether anybody wants to know which traces the captures belong to."""
    side: int = 0
    """Of the staging tables."""

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield pa.RecordBatch.from_pylist(list(self._lines(batch)), _LINE)

    def _lines(self, batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
        try:
            stager = _stager(self.config, self.side)
            found = decode_batch(batch, stager.lake_id())
            attempt = stager.stage(found.captures, found.rejects)
        except CoinlakeError as error:
            yield {"fault": str(error), "is_fatal": isinstance(error, FixConfiguration)}
            return
        given = found.captures.column("traceparent").to_pylist() if self.tells_traces else []
        yield {
            "attempt": str(attempt.id),
            "rows": attempt.rows,
            "traces": [one for one in given if tracing.flagged(one)],
        }
        offsets = pa.table({name: batch.column(name) for name in ("partition", "offset")})
        for read in (
            offsets.group_by("partition").aggregate([("offset", "min"), ("offset", "max")]).to_pylist()
        ):
            yield {
                "partition": read["partition"],
                "first": read["offset_min"],
                "next": read["offset_max"] + 1,
            }


@cache
def _stager(config: Path | None, side: int) -> Stager:
    """One a worker and side, which serves many tasks."""
    settings = settings_loading.load(config)
    return Stager(warehouse_dsn(settings), refinery(settings).refine, side)
