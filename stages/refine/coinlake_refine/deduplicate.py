"""One row a quote: of several answers about one moment, the one that was fetched first stands.

The warehouse keeps the same rule between batches, so that it holds whatever way captures are cut into
batches, and in whatever order they come.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import QUOTE_KEY, QUOTES, REJECTS, Decoded, one_batch

_EARLIEST = (("fetched_at", "ascending"), ("capture_id", "ascending"), ("path", "ascending"))


def deduplicate(decoded: Decoded) -> Decoded:
    """Keeps one row of each key. Of a page that contradicts itself, the other rows become rejects."""
    quotes = decoded.quotes
    if _groups(quotes, QUOTE_KEY) == quotes.num_rows:
        return decoded
    ordered = quotes.take(pc.sort_indices(quotes, sort_keys=_EARLIEST))
    contradictions = _contradictions(ordered)
    numbered = pa.table(
        {name: ordered.column(name) for name in QUOTE_KEY} | {"row": pa.array(range(ordered.num_rows))}
    )
    first = numbered.group_by(list(QUOTE_KEY), use_threads=False).aggregate([("row", "min")])
    kept = ordered.take(sorted(first.column("row_min").to_pylist()))
    return Decoded(kept, one_batch([decoded.rejects, contradictions], REJECTS))


def _groups(quotes: pa.RecordBatch, columns: tuple[str, ...]) -> int:
    keys = pa.table({name: quotes.column(name) for name in columns})
    rows: int = keys.group_by(list(columns), use_threads=False).aggregate([]).num_rows
    return rows


def _contradictions(ordered: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose own page says something else of the same quote in a row of a smaller path."""
    key = (*QUOTE_KEY, "capture_id")
    if _groups(ordered, key) == ordered.num_rows:
        return pa.RecordBatch.from_pylist([], REJECTS)
    rejects: list[dict[str, Any]] = []
    standing: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in ordered.to_pylist():
        first = standing.setdefault(tuple(row[name] for name in key), row)
        differing = [name for name in QUOTES.names if name != "path" and row[name] != first[name]]
        if differing:
            reason = f"contradiction: {', '.join(differing)} differ from row {first['path']}"
            rejects.append(
                {
                    "capture_id": row["capture_id"],
                    "path": row["path"],
                    "stage": "deduplicate",
                    "reasons": [reason],
                    "original": None,
                }
            )
    return pa.RecordBatch.from_pylist(rejects, REJECTS)
