"""Messages as Spark hands them over become captures as decode reads them, and rejects for dead letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import CAPTURES, REJECTS, capture_batch, id_of
from coinlake_bus.message import Message, Received, Unreadable, decode, of_lake

STAGE = "bus"
"""The stage of a dead letter that a message became."""

_MOMENT = pa.timestamp("us", tz="UTC")
_PLACE = [
    pa.field("topic", pa.string(), nullable=False),
    pa.field("partition", pa.int32(), nullable=False),
    pa.field("offset", pa.int64(), nullable=False),
]
_ORIGIN = [
    pa.field("lake_id", pa.string()),
    pa.field("position", pa.int64()),
    *_PLACE,
]

RECEIVED = pa.schema([*CAPTURES, pa.field("traceparent", pa.string(), nullable=False), *_ORIGIN])
"""Captures (`model.CAPTURES`, first and in its order) and where each came from."""

UNREADABLE = pa.schema(
    [
        *REJECTS,
        pa.field("source", pa.string(), nullable=False),
        pa.field("dataset", pa.string(), nullable=False),
        pa.field("slot", _MOMENT, nullable=False),
        pa.field("received_at", _MOMENT, nullable=False),
        *_ORIGIN,
    ]
)
"""Rejects (`model.REJECTS`, first and in its order) and what a dead letter says of its capture. Where a
message names none: an id made of its place, source and dataset "", the message's own time for both times,
and null for lake and position."""


class Messages(NamedTuple):
    """A batch of messages, each in exactly one of the two tables, in their order."""

    captures: pa.RecordBatch
    """`RECEIVED`."""
    rejects: pa.RecordBatch
    """`UNREADABLE`."""


class _Place(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: datetime


def decode_batch(batch: pa.RecordBatch, lake_id: UUID | None = None) -> Messages:
    """Messages in columns key, value, topic, partition, offset, timestamp and headers, as Spark names them.

    `headers` is list<struct<key, value>>. Captures of another lake than the given one are rejects; with None
    any lake's are taken. No message raises.
    """
    captures: list[tuple[Received, _Place]] = []
    rejects: list[tuple[Unreadable, _Place]] = []
    for message, place in zip(_messages(batch), _places(batch), strict=True):
        found = decode(message)
        if lake_id is not None:
            found = of_lake(found, lake_id, message.value or b"")
        if isinstance(found, Received):
            captures.append((found, place))
        else:
            rejects.append((found, place))
    return Messages(_captures(captures), _rejects(rejects))


def message_id(topic: str, partition: int, offset: int) -> UUID:
    """A version 8 UUID of a message's place: names a message that names no capture."""
    return id_of(topic, str(partition), str(offset))


def _messages(batch: pa.RecordBatch) -> Iterator[Message]:
    headers = batch.column("headers")
    lengths = pc.fill_null(pc.list_value_length(headers), 0).to_pylist()
    each = headers.flatten()  # all headers of all messages: far fewer objects than a list of dicts each
    names, values = (each.field(part).to_pylist() for part in ("key", "value"))
    begin = 0
    for key, value, length in zip(
        batch.column("key").to_pylist(), batch.column("value").to_pylist(), lengths, strict=True
    ):
        end = begin + length
        yield Message(key, value, list(zip(names[begin:end], values[begin:end], strict=True)))
        begin = end


def _places(batch: pa.RecordBatch) -> Iterator[_Place]:
    columns = (batch.column("topic"), batch.column("partition"), batch.column("offset"))
    timestamps = batch.column("timestamp").cast(_MOMENT)
    yield from map(_Place, *(column.to_pylist() for column in columns), timestamps.to_pylist())


def _captures(found: Sequence[tuple[Received, _Place]]) -> pa.RecordBatch:
    captures = [received.held.capture for received, _ in found]
    columns: dict[str, Any] = {
        "traceparent": [capture.traceparent for capture in captures],
        "lake_id": [str(received.lake_id) for received, _ in found],
        "position": [received.held.position for received, _ in found],
    }
    for name in ("topic", "partition", "offset"):
        columns[name] = [getattr(place, name) for _, place in found]
    more = RECEIVED.names[len(CAPTURES) :]
    return pa.RecordBatch.from_arrays(
        [
            *capture_batch(captures).columns,
            *(pa.array(columns[name], RECEIVED.field(name).type) for name in more),
        ],
        schema=RECEIVED,
    )


def _rejects(found: Sequence[tuple[Unreadable, _Place]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([_reject(message, place) for message, place in found], UNREADABLE)


def _reject(message: Unreadable, place: _Place) -> dict[str, Any]:
    row = {
        "path": "",
        "stage": STAGE,
        "reasons": [
            *message.reasons,
            f"message: {place.topic}, partition {place.partition}, offset {place.offset}",
        ],
        "original": message.original,
        "topic": place.topic,
        "partition": place.partition,
        "offset": place.offset,
    }
    if message.about is None:
        return row | {
            "capture_id": str(message_id(place.topic, place.partition, place.offset)),
            "source": "",
            "dataset": "",
            "slot": place.timestamp,
            "received_at": place.timestamp,
        }
    capture = message.about.held.capture
    return row | {
        "capture_id": str(capture.id),
        "source": capture.source,
        "dataset": capture.dataset,
        "slot": capture.slot,
        "received_at": capture.received_at,
        "lake_id": str(message.about.lake_id),
        "position": message.about.held.position,
    }
