"""A batch of Spark's columns becomes captures and rejects, row for row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from coinlake.model import CAPTURES, REJECTS, Held, capture_batch
from coinlake_bus.arrow import RECEIVED, UNREADABLE, decode_batch, message_id
from coinlake_bus.message import Message, encode, without_body
from coinlake_bus.message_test import HELD, LAKE, helds, messages

SENT_AT = datetime(2026, 3, 1, 12, 4, 0, 123_000, tzinfo=UTC)

SPARK = pa.schema(
    {
        "key": pa.binary(),
        "value": pa.binary(),
        "topic": pa.string(),
        "partition": pa.int32(),
        "offset": pa.int64(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "headers": pa.list_(pa.struct({"key": pa.string(), "value": pa.binary()})),
    }
)


def spark_batch(sent: Sequence[Message]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(
        [
            {
                "key": message.key,
                "value": message.value,
                "topic": "coinlake.captures",
                "partition": 2,
                "offset": offset,
                "timestamp": SENT_AT,
                # Spark gives null, not an empty list, for a message without headers.
                "headers": [{"key": name, "value": value} for name, value in message.headers] or None,
            }
            for offset, message in enumerate(sent)
        ],
        SPARK,
    )


@given(st.lists(helds | messages), st.integers(0, 3))
def test_each_message_is_a_capture_or_a_reject_in_order(sent: list[Held | Message], cut: int) -> None:
    whole = spark_batch([encode(one, LAKE) if isinstance(one, Held) else one for one in sent])
    found = decode_batch(whole[cut:])
    good = [(offset, one) for offset, one in enumerate(sent) if isinstance(one, Held) and offset >= cut]
    bad = [(offset, one) for offset, one in enumerate(sent) if isinstance(one, Message) and offset >= cut]
    assert found.captures.schema == RECEIVED
    assert found.rejects.schema == UNREADABLE
    assert found.captures.column("offset").to_pylist() == [offset for offset, _ in good]
    assert found.captures.select(CAPTURES.names) == capture_batch(held.capture for _, held in good)
    assert found.captures.column("position").to_pylist() == [held.position for _, held in good]
    assert found.rejects.column("offset").to_pylist() == [offset for offset, _ in bad]
    assert found.rejects.column("original").to_pylist() == [message.value or b"" for _, message in bad]


def test_a_stranger_s_message_has_an_id_made_of_its_place() -> None:
    (row,) = decode_batch(spark_batch([Message(None, b"\x1f\x8b nonsense", [])])).rejects.to_pylist()
    assert row["capture_id"] == str(message_id("coinlake.captures", 2, 0))
    assert (row["source"], row["dataset"], row["position"]) == ("", "", None)
    assert (row["slot"], row["received_at"]) == (SENT_AT, SENT_AT)
    assert (row["stage"], row["original"]) == ("bus", b"\x1f\x8b nonsense")
    assert row["reasons"][-1] == "message: coinlake.captures, partition 2, offset 0"


def test_a_capture_whose_body_is_left_out_is_named_in_its_reject() -> None:
    found = decode_batch(spark_batch([without_body(encode(HELD, LAKE))]))
    (row,) = found.rejects.to_pylist()
    assert row["capture_id"] == str(HELD.capture.id)
    assert (row["source"], row["slot"], row["position"]) == ("venue", HELD.capture.slot, 7)
    assert found.rejects.select(REJECTS.names).schema == REJECTS


def test_a_capture_of_another_lake_is_a_reject_with_its_bytes_and_nothing_of_its_identity() -> None:
    theirs, ours = encode(HELD, UUID(int=99)), encode(HELD, LAKE)
    found = decode_batch(spark_batch([theirs, ours, without_body(theirs), without_body(ours)]), LAKE)
    assert found.captures.column("offset").to_pylist() == [1]
    first, second, third = found.rejects.to_pylist()
    assert first["original"] == HELD.capture.body
    assert first["reasons"][0] == (
        f"another_lake: capture {HELD.capture.id} is of lake {UUID(int=99)}, not of {LAKE}"
    )
    assert second["reasons"][1].startswith("body_left_out: ")
    for offset, row in ((0, first), (2, second)):
        assert row["capture_id"] == str(message_id("coinlake.captures", 2, offset))
        assert (row["source"], row["lake_id"], row["position"]) == ("", None, None)
    assert third["lake_id"] == str(LAKE)
