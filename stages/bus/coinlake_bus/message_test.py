"""Encoding a capture and decoding it again is the identity; all else is a reject with its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlake.account import Entry
from coinlake.model import Capture, Held
from coinlake_bus.message import (
    BODY_HEADER,
    CAPTURE_HEADER,
    ID_HEADER,
    SCHEMA_HEADER,
    Message,
    Received,
    Unreadable,
    decode,
    encode,
    entry,
    without_body,
)

LAKE = UUID("0190a000-0000-7000-8000-00000000000a")
SLOT = datetime(2026, 3, 1, 12, 3, tzinfo=UTC)
HELD = Held(
    7,
    Capture(
        source="venue",
        dataset="markets",
        slot=SLOT,
        page=3,
        url="https://venue.example/markets?page=3",
        params=(("page", "3"), ("ids", "b,a"), ("ids", "")),
        status=200,
        headers={"date": "Sun, 01 Mar 2026 12:03:00 GMT", "X-Name": "Ξ “naïve”"},
        body=b'[{"id":"ether","price":1.10}]',
        requested_at=SLOT + timedelta(microseconds=1),
        received_at=SLOT + timedelta(microseconds=250_001),
        run_id="0190a000-0000-7000-8000-000000000000",
        plugin_version="1.2.3",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
)

moments = st.datetimes(datetime(1900, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
captures = st.builds(
    Capture,
    source=st.text(),
    dataset=st.text(),
    slot=moments,
    page=st.integers(0, 2**31),
    url=st.text(),
    params=st.lists(st.tuples(st.text(), st.text())).map(tuple),
    status=st.integers(100, 999),
    headers=st.dictionaries(st.text(), st.text()),
    body=st.binary(),
    requested_at=moments,
    received_at=moments,
    run_id=st.text(),
    plugin_version=st.text(),
    traceparent=st.text(),
    synthetic=st.booleans(),
)
helds = st.builds(Held, st.integers(1, 2**63 - 1), captures)
messages = st.builds(
    Message,
    st.none() | st.binary(),
    st.none() | st.binary(),
    st.lists(
        st.tuples(
            st.sampled_from([SCHEMA_HEADER, ID_HEADER, CAPTURE_HEADER, BODY_HEADER]) | st.text(),
            st.none() | st.just(b"1") | st.binary() | st.just(b"{}"),
        )
    ),
)


def changed(message: Message, **headers: bytes | None) -> Message:
    """A message with some of its headers replaced, or dropped where the new value is None."""
    named: Mapping[str, bytes | None] = dict(message.headers) | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return message._replace(headers=[(name, value) for name, value in named.items() if value is not None])


@given(helds, st.uuids())
def test_decoding_what_was_encoded_gives_the_same_capture(held: Held, lake_id: UUID) -> None:
    received = decode(encode(held, lake_id))
    assert received == Received(lake_id, held)
    assert isinstance(received, Received)
    assert received.held.capture.id == held.capture.id


@given(messages)
def test_a_message_of_a_stranger_is_rejected_with_its_bytes(message: Message) -> None:
    found = decode(message)
    assert isinstance(found, Unreadable)
    assert found.original == (message.value or b"")
    assert found.reasons
    assert all(reason.isprintable() for reason in found.reasons)


@given(st.data())
def test_a_header_cut_anywhere_is_rejected(data: st.DataObject) -> None:
    message = encode(HELD, LAKE)
    place = data.draw(st.sampled_from([0, 1, 3]))
    name, value = message.headers[place]
    assert value is not None
    cut = data.draw(st.integers(0, len(value) - 1))
    headers = [*message.headers]
    headers[place] = (name, value[:cut])
    assert isinstance(decode(message._replace(headers=headers)), Unreadable)


@given(st.integers(0, len(HELD.capture.body) * 8 - 1))
def test_a_flipped_bit_of_the_body_is_rejected_and_names_its_capture(bit: int) -> None:
    body = bytearray(HELD.capture.body)
    body[bit // 8] ^= 1 << bit % 8
    found = decode(encode(HELD, LAKE)._replace(value=bytes(body)))
    assert isinstance(found, Unreadable)
    assert found.original == bytes(body)
    assert found.about is not None
    assert found.about.held.capture.id == HELD.capture.id
    assert found.reasons[0].startswith("changed_body")


def test_a_header_that_names_another_capture_is_rejected() -> None:
    message = encode(HELD, LAKE)
    (capture,) = (value for name, value in message.headers if name == CAPTURE_HEADER)
    assert capture is not None
    rest = msgspec.json.decode(capture)
    other = msgspec.json.encode(rest | {"page": 4})
    found = decode(changed(message, capture=other))
    assert isinstance(found, Unreadable)
    assert found.reasons[0].startswith("bad_header: capture-id")


@pytest.mark.parametrize("schema", [b"2", b"", b"1 ", b"\xff\0"])
def test_another_schema_version_is_refused_not_guessed_at(schema: bytes) -> None:
    found = decode(changed(encode(HELD, LAKE), coinlake_schema=schema))
    assert isinstance(found, Unreadable)
    assert found.reasons[0].startswith("unknown_schema")


def test_a_tombstone_with_our_headers_is_rejected() -> None:
    found = decode(encode(HELD, LAKE)._replace(value=None))
    assert isinstance(found, Unreadable)
    assert found.reasons == ("no_body: the message has no value",)


def test_a_body_left_out_is_a_reject_that_names_its_capture_and_size() -> None:
    found = decode(without_body(encode(HELD, LAKE)))
    assert isinstance(found, Unreadable)
    assert found.about is not None
    assert found.about.held.capture.id == HELD.capture.id
    assert str(len(HELD.capture.body)) in found.reasons[0]


def test_a_slot_in_another_time_zone_is_the_same_moment() -> None:
    elsewhere = replace(HELD.capture, requested_at=SLOT.astimezone(timezone(timedelta(hours=2))))
    received = decode(encode(Held(1, elsewhere), LAKE))
    assert isinstance(received, Received)
    assert received.held.capture.requested_at == SLOT


def test_answers_to_one_question_have_one_key() -> None:
    assert encode(HELD, LAKE).key == b"venue/markets/3"
    later = replace(HELD.capture, slot=SLOT + timedelta(minutes=3), body=b"[]")
    assert encode(Held(8, later), LAKE).key == b"venue/markets/3"


@pytest.mark.parametrize("name", ["coinlake-schema", "capture-id", "capture", "traceparent"])
def test_a_header_of_ours_that_stands_there_twice_is_rejected(name: str) -> None:
    message = encode(HELD, LAKE)
    doubled = message._replace(headers=[*message.headers, (name, dict(message.headers)[name])])
    found = decode(doubled)
    assert isinstance(found, Unreadable)
    assert found.reasons == (f"bad_header: {name} stands there more than once",)
    assert entry(doubled, LAKE) is None


def test_headers_that_others_add_do_no_harm() -> None:
    message = encode(HELD, LAKE)
    assert decode(message._replace(headers=[("proxy", b"\xff"), *message.headers])) == Received(LAKE, HELD)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+10:00", "2026-03-01T12:03:00", "soon"])
def test_a_moment_that_is_none_is_rejected(moment: str) -> None:
    message = encode(HELD, LAKE)
    (capture,) = (value for name, value in message.headers if name == CAPTURE_HEADER)
    rest = msgspec.json.decode(capture or b"")
    found = decode(changed(message, capture=msgspec.json.encode(rest | {"slot": moment})))
    assert isinstance(found, Unreadable)
    assert found.reasons[0].startswith("bad_header: capture:")


def test_the_headers_say_which_capture_it_is_without_the_body() -> None:
    message, expected = encode(HELD, LAKE), Entry(HELD.position, HELD.capture.id)
    assert entry(message, LAKE) == expected
    assert entry(without_body(message), LAKE) == expected
    assert entry(message._replace(value=None), LAKE) == expected
    assert entry(message, UUID(int=9)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {SCHEMA_HEADER: b"2"},
        {SCHEMA_HEADER: None},
        {CAPTURE_HEADER: None},
        {CAPTURE_HEADER: b'{"lake_id": "no", "position": 1}'},
        {CAPTURE_HEADER: b"\xff"},
        {ID_HEADER: None},
        {ID_HEADER: b"\xff"},
        {ID_HEADER: b"not an id"},
    ],
)
def test_a_message_with_strange_headers_names_no_capture(changed: Mapping[str, bytes | None]) -> None:
    message = encode(HELD, LAKE)
    headers = [(name, changed.get(name, value)) for name, value in message.headers]
    assert entry(message._replace(headers=headers), LAKE) is None
