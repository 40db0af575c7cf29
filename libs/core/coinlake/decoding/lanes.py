"""Captures in, quotes and rejects out: each page by the lane that fits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from coinlake.decoding.careful import read_page
from coinlake.decoding.fast import FastLane, Pages
from coinlake.decoding.shape import COLUMNS, Shape
from coinlake.model import LIVE, QUOTES, REJECTS, Decoded, one_batch

_READ_TYPES = {name: QUOTES.field(name).type for name in (*COLUMNS, "extra", "path")}

_SPAN_BYTES = 800_000
"""Measured on pages of 100 coins: one page at a time takes 1.6 times as long, 60 at a time 1.9 times."""


class QuoteReader:
    """Reads pages of one shape. Make it once; reading is pure."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._fast = FastLane(shape)

    def read(
        self,
        captures: pa.RecordBatch,
        *,
        quote_currency: Callable[[Mapping[str, str]], str],
        granularity: str = LIVE,
    ) -> Decoded:
        """Quotes and rejects of captures (`model.CAPTURES`), in their order.

        `quote_currency` names the currency of a page from its request's parameters. Rejects carry their
        original bytes.
        """
        origins = captures.drop_columns(["body"]).to_pylist()
        for origin in origins:
            origin["quote_currency"] = quote_currency(dict(origin["params"]))
            origin["granularity"] = granularity
        bodies: list[bytes] = captures.column("body").to_pylist()
        parts: list[pa.RecordBatch] = []
        rejects: list[dict[str, Any]] = []
        for span in _spans(bodies):
            pages = self._fast.read(bodies[span])
            if pages is not None:
                parts.append(_quotes(origins[span], pages))
                continue
            for origin, body in zip(origins[span], bodies[span], strict=True):
                parts.append(_quotes([origin], self._read_page(origin["capture_id"], body, rejects)))
        return Decoded(one_batch(parts, QUOTES), pa.RecordBatch.from_pylist(rejects, REJECTS))

    def _read_page(self, capture_id: str, body: bytes, rejects: list[dict[str, Any]]) -> Pages:
        pages = self._fast.read([body])
        if pages is not None:
            return pages
        read, refused = read_page(body, self._shape)
        rejects += [
            {
                "capture_id": capture_id,
                "path": row.path,
                "stage": "decode",
                "reasons": reasons,
                "original": row.original,
            }
            for row, reasons in refused
        ]
        columns = {name: pa.array([row[name] for row in read], type_) for name, type_ in _READ_TYPES.items()}
        return Pages(columns, [len(read)])


def _spans(bodies: Sequence[bytes]) -> Iterator[slice]:
    """Spans of pages that are read together: as many as the processor's cache likes."""
    start = size = 0
    for end, body in enumerate(bodies):
        if end > start and size + len(body) > _SPAN_BYTES:
            yield slice(start, end)
            start, size = end, 0
        size += len(body)
    if bodies:
        yield slice(start, len(bodies))


def _quotes(origins: Sequence[Mapping[str, Any]], pages: Pages) -> pa.RecordBatch:
    """Pages' rows with what those of one page share: where and when they come from."""
    page_of_row = pa.concat_arrays(
        [pa.repeat(pa.scalar(page, pa.int32()), rows) for page, rows in enumerate(pages.rows)]
    )
    shared = {
        "source": "source",
        "quote_currency": "quote_currency",
        "granularity": "granularity",
        "fetched_at": "received_at",
        "synthetic": "synthetic",
        "capture_id": "capture_id",
    }
    columns = []
    for field in QUOTES:
        if field.name in shared:
            values = [origin[shared[field.name]] for origin in origins]
            columns.append(pa.array(values, field.type).take(page_of_row))
        elif field.name in pages.columns:
            columns.append(pages.columns[field.name])
        elif field.name == "path":
            columns.append(_paths(pages.rows))
        else:
            columns.append(pa.nulls(len(page_of_row), field.type))
    return pa.RecordBatch.from_arrays(columns, schema=QUOTES)


def _paths(rows: Sequence[int]) -> pa.Array:
    """The paths of pages whose rows were all read."""
    longest = pa.array([f"/{row}" for row in range(max(rows))], QUOTES.field("path").type)
    return pa.concat_arrays([longest[:count] for count in rows])
