"""Whatever a stranger writes to the topic becomes a dead letter that says where it lies; loading goes on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer

from coinlake.model import Held
from coinlake.settings import Secret
from coinlake_bus.message import (
    CAPTURE_HEADER,
    SCHEMA_HEADER,
    Message,
    Received,
    decode,
    encode,
    of_lake,
)
from coinlake_bus.reader import read_topic
from coinlake_lake.mongo import MongoLake
from distributed.site import until
from secured.chain import Chain

pytestmark = pytest.mark.timeout(800)  # the first test of a machine fetches Spark, 450 MB


def _with_header(message: Message, name: str, value: bytes) -> Message:
    return message._replace(headers=[(one, value if one == name else was) for one, was in message.headers])


def _with_rest(message: Message, **changed: Any) -> Message:
    rest = json.loads(dict(message.headers)[CAPTURE_HEADER] or b"")
    return _with_header(message, CAPTURE_HEADER, json.dumps(rest | changed).encode())


def strange(ours: Message) -> list[tuple[str, Message]]:
    """Messages that are no captures, each with the reason that is given."""
    return [
        ("not_coinlake", Message(b"key", b"who are you", [])),
        ("not_coinlake", Message(None, b"", [])),
        ("not_coinlake", Message(b"a tombstone", None, [])),
        ("not_coinlake", Message(None, b"\x1f\x8b\x08\x00 gzip, it says", [])),
        ("not_coinlake", Message(None, os.urandom(5 * 1024 * 1024), [])),
        ("not_coinlake", Message(None, b"{}", [("\u00fcber", b"\xff\xfe\x00")])),
        ("unknown_schema", _with_header(ours, SCHEMA_HEADER, b"2")),
        ("unknown_schema", _with_header(ours, SCHEMA_HEADER, b"\xff\xfe")),
        ("bad_header", _with_header(ours, CAPTURE_HEADER, b"\xff\xfe{}")),
        ("bad_header", _with_rest(ours, position=2**63)),
        ("bad_header", _with_rest(ours, position=-1)),
        ("bad_header", _with_rest(ours, position=0)),
        ("bad_header", _with_rest(ours, page=77)),
        ("bad_header", ours._replace(headers=[*ours.headers, (SCHEMA_HEADER, b"1")])),
        ("another_lake", _with_rest(ours, lake_id=str(UUID(int=1)))),
    ]


def test_a_stranger_s_messages_are_dead_letters_and_hold_nothing_up(working: Chain) -> None:
    guarded = working.guarded
    first = next(one for one in read_topic(guarded.open_bus) if isinstance(decode(one.message), Received))
    received = decode(first.message)
    assert isinstance(received, Received)
    messages, before = strange(first.message), working.loaded()
    # It knows the lake, and what a capture looks like; it claims the place of one, and one far off.
    claimed = replace(received.held.capture, page=99, body=b"[]")
    claims = [
        encode(Held(position, claimed), received.lake_id) for position in (received.held.position, 2**63 - 1)
    ]
    producer = Producer(
        {"bootstrap.servers": guarded.kafka.bootstrap_servers, "message.max.bytes": 10_000_000}
    )
    for message in [*(message for _, message in messages), *claims]:
        producer.produce(guarded.open_bus.topic, message.value, message.key, headers=list(message.headers))
    assert producer.flush(60) == 0

    with MongoLake(Secret(guarded.lake_url("writer"))) as lake:
        lake.append(replace(received.held.capture, page=2, body=received.held.capture.body + b" "))
        end = lake.end()
    until(lambda: working.rows("SELECT position FROM position") == [(end,)])
    until(lambda: len(letters(working)) == len(messages))
    assert sorted(reason.split(":")[0] for reason, _ in letters(working)) == sorted(
        kind for kind, _ in messages
    )
    lie_at = {
        f"message: {guarded.open_bus.topic}, partition {one.partition}, offset {one.offset}"
        for one in read_topic(guarded.open_bus)
        if not isinstance(of_lake(decode(one.message), received.lake_id, b""), Received)
    }
    assert {place for _, place in letters(working)} == lie_at

    assert working.loaded() == before + 3
    told = working.coinlake("verify")
    assert told.returncode == 1
    assert f"2 captures are unknown to the lake, but in the warehouse: {claimed.id} at" in " ".join(
        told.stderr.split()
    )
    assert "Messages that name no capture of this lake: " in told.stderr


def letters(chain: Chain) -> list[tuple[str, str]]:
    """The first reason of each message that was no capture, and where it lies."""
    found = chain.rows("SELECT reasons[1], reasons[2] FROM dead_letters WHERE stage = 'bus'")
    return [(reason, place) for reason, place in found]
