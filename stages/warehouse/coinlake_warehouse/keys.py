"""Quotes ordered by key, in Arrow: one row a key, and what the server needs to know of them at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import QUOTE_KEY

_ASSET = QUOTE_KEY[:3]
_SPAN = QUOTE_KEY[:4]


class Spans(NamedTuple):
    """Which assets a batch tells of, and of each by granularity, from when to when; all numbered from 1."""

    span_of: pa.Array
    """Number of each row's span."""
    assets: list[tuple[Any, ...]]
    """Number, source, asset, quote currency."""
    spans: list[tuple[Any, ...]]
    """Number, number of the asset, granularity, first and last `as_of`."""


def earliest(quotes: pa.RecordBatch) -> pa.RecordBatch:
    """Of each key the row that was received first, in order of key."""
    order = [(name, "ascending") for name in (*QUOTE_KEY, "fetched_at", "capture_id", "path")]
    ordered = quotes.take(pc.sort_indices(quotes, sort_keys=order))
    return ordered.filter(_begins(ordered, QUOTE_KEY))


def spans_of(quotes: pa.RecordBatch) -> Spans:
    """The spans of quotes, at least one of them, in order of key."""
    asset_begins, span_begins = _begins(quotes, _ASSET), _begins(quotes, _SPAN)
    asset_of, span_of = _numbered(asset_begins), _numbered(span_begins)
    span_ends = pa.concat_arrays([span_begins.slice(1), pa.array([True])])
    return Spans(
        span_of,
        _rows(asset_of.filter(asset_begins), *(quotes.column(n).filter(asset_begins) for n in _ASSET)),
        _rows(
            span_of.filter(span_begins),
            asset_of.filter(span_begins),
            quotes.column("granularity").filter(span_begins),
            quotes.column("as_of").filter(span_begins),
            quotes.column("as_of").filter(span_ends),
        ),
    )


def _begins(ordered: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """Whether each row differs from the one before in any of the columns."""
    if not ordered.num_rows:
        return pa.array([], pa.bool_())
    begins = pa.array([False] * (ordered.num_rows - 1), pa.bool_())
    for column in (ordered.column(name) for name in names):
        # A null differs from all, so that the server gets to see it, and refuses it.
        differs = pc.fill_null(pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)), True)
        begins = pc.or_(begins, differs)
    return pa.concat_arrays([pa.array([True]), begins])


def _numbered(begins: pa.Array) -> pa.Array:
    return pc.cumulative_sum(begins.cast(pa.int32()))


def _rows(*columns: pa.Array) -> list[tuple[Any, ...]]:
    return list(zip(*(column.to_pylist() for column in columns), strict=True))
