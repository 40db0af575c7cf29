"""Small pages and their captures, for tests of whatever reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from coinlake.decoding import QuoteReader, Shape
from coinlake.model import Capture, Decoded, capture_batch

RECEIVED = datetime(2024, 10, 15, 12, tzinfo=UTC)
"""When pages are received unless a test says otherwise."""

SHAPE = Shape(
    keys={
        "asset": "id",
        "name": "name",
        "price": "price",
        "market_cap": "cap",
        "rank": "rank",
        "as_of": "at",
    },
    extra=("note", "roi"),
)
"""A small shape with a column of each kind, and two documented keys without one."""

_reader = QuoteReader(SHAPE)


def decode(captures: pa.RecordBatch) -> Decoded:
    """Quotes and rejects of pages of `SHAPE`, in dollars."""
    return _reader.read(captures, quote_currency=lambda params: params["vs"])


def row(asset: str = "bitcoin", *, more: str = "", **members: str) -> str:
    """A good row's JSON text; `members` are JSON texts that take the place of its own, `more` follows."""
    texts = {
        "id": f'"{asset}"',
        "name": '"Name"',
        "price": "65975.10",
        "cap": "1304235911646",
        "rank": "1",
        "at": '"2024-10-15T11:59:00.125Z"',
        "note": "null",
        "roi": '{"times":1.50}',
    } | members
    return "{" + ",".join(f'"{key}":{text}' for key, text in texts.items()) + more + "}"


def page(*rows: str) -> bytes:
    """A page of rows."""
    return f"[{','.join(rows)}]".encode()


def capture(body: bytes, *, page: int = 1, after: timedelta = timedelta(), source: str = "pages") -> Capture:
    """A capture of a body, received `after` the usual moment."""
    return Capture(
        source=source,
        dataset="pages",
        slot=RECEIVED,
        page=page,
        url="https://venue.example/pages",
        params=(("vs", "usd"),),
        status=200,
        headers={},
        body=body,
        requested_at=RECEIVED + after,
        received_at=RECEIVED + after,
        run_id="test",
        plugin_version="1",
        traceparent="",
    )


def decoded(*bodies: bytes) -> Decoded:
    """What decoding pages gives, each in a capture of its own."""
    return decode(capture_batch(capture(body, page=number) for number, body in enumerate(bodies)))
