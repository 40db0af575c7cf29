"""One row a quote: of several answers about one moment, the one that was fetched first stands.

Of candles and instruments it is the one that was fetched last: a venue may still complete what it said.

The warehouse keeps the same rule between batches, so that it holds whatever way captures are cut into
batches, and in whatever order they come.
"""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import CANDLE_KEY, INSTRUMENT_KEY, QUOTE_KEY, QUOTES, Decoded

_EARLIEST = (("fetched_at", "ascending"), ("capture_id", "ascending"), ("path", "ascending"))


def deduplicate(decoded: Decoded) -> Decoded:
    """Keeps one row of each key. Of a page that contradicts itself, the other quotes become rejects."""
    return _one_quote_a_key(decoded)._replace(
        candles=_newest(decoded.candles, CANDLE_KEY),
        instruments=_newest(decoded.instruments, INSTRUMENT_KEY),
    )


def _newest(rows: pa.RecordBatch, key: tuple[str, ...]) -> pa.RecordBatch:
    """Of each key the row that was received last, in order of receipt where there were several."""
    if _groups(rows, key) == rows.num_rows:
        return rows
    ordered = rows.take(pc.sort_indices(rows, sort_keys=_EARLIEST))
    return ordered.take(_places(ordered, key, "max"))


def _one_quote_a_key(decoded: Decoded) -> Decoded:
    quotes = decoded.quotes
    if _groups(quotes, QUOTE_KEY) == quotes.num_rows:
        return decoded
    ordered = quotes.take(pc.sort_indices(quotes, sort_keys=_EARLIEST))
    contradictions = _contradictions(ordered)
    kept = ordered.take(_places(ordered, QUOTE_KEY, "min"))
    return decoded._replace(quotes=kept).rejecting(contradictions)


def _places(ordered: pa.RecordBatch, key: tuple[str, ...], which: Literal["min", "max"]) -> list[int]:
    """The first or last place of each key, ascending."""
    numbered = pa.table(
        {name: ordered.column(name) for name in key} | {"row": pa.array(range(ordered.num_rows))}
    )
    found = numbered.group_by(list(key), use_threads=False).aggregate([("row", which)])
    return sorted(found.column(f"row_{which}").to_pylist())


def _groups(rows: pa.RecordBatch, columns: tuple[str, ...]) -> int:
    keys = pa.table({name: rows.column(name) for name in columns})
    groups: int = keys.group_by(list(columns), use_threads=False).aggregate([]).num_rows
    return groups


def _contradictions(ordered: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows whose own page says something else of the same quote in a row of a smaller path."""
    key = (*QUOTE_KEY, "capture_id")
    if _groups(ordered, key) == ordered.num_rows:
        return []
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
    return rejects
