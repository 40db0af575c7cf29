"""A capture as a message, exact in both directions. Pure: nothing here knows Kafka's client.

value    the body, byte for byte
key      source/dataset/page: all answers to one question lie in one partition, in their order
headers  coinlake-schema   "1"; another number is another form, which this code refuses to guess at
         capture-id        the identity key as one value, so that a person can look for it
         traceparent       for whoever follows traces
         capture           JSON of all the rest, readable wherever headers are shown
         coinlake-body     only where the body is not in the message: "left out"

Whatever else may lie in the topic (a stranger's message, a cut header, a flipped bit) is `Unreadable`, with
every reason that was found, and never an exception.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec

from coinlake.account import Entry
from coinlake.lake import ANOTHER_LAKE
from coinlake.model import Capture, Held

SCHEMA_HEADER = "coinlake-schema"
ID_HEADER = "capture-id"
TRACE_HEADER = "traceparent"
CAPTURE_HEADER = "capture"
BODY_HEADER = "coinlake-body"

_OURS = (SCHEMA_HEADER, ID_HEADER, TRACE_HEADER, CAPTURE_HEADER, BODY_HEADER)
_SCHEMA = b"1"
_LEFT_OUT = b"left out"
_SHOWN_CHARACTERS = 80
"""How much of a stranger's header a reason quotes."""

Headers = Sequence[tuple[str, bytes | None]]

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Rest(msgspec.Struct, frozen=True):
    """The JSON of the header `capture`: what of a capture is neither body nor identity's digest."""

    lake_id: UUID
    position: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
    source: str
    dataset: str
    slot: Moment
    page: int
    url: str
    params: tuple[tuple[str, str], ...]
    status: int
    headers: dict[str, str]
    requested_at: Moment
    received_at: Moment
    run_id: str
    plugin_version: str
    traceparent: str
    synthetic: bool
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    size: int
    """Bytes of the body, in the message or left out."""


class _Place(msgspec.Struct, frozen=True):
    """Of the same JSON, what an account goes by."""

    lake_id: UUID
    position: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Message(NamedTuple):
    """What is sent and what comes: one record of the topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes of key, value and headers, before they are packed."""
        headers = sum(len(name.encode()) + len(value or b"") for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


@dataclass(frozen=True, slots=True)
class Received:
    """A capture out of a message, and the lake in which it has its position."""

    lake_id: UUID
    held: Held


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no whole capture: why, its bytes, and the capture it speaks of, if it names one."""

    reasons: tuple[str, ...]
    original: bytes = field(repr=False)
    about: Received | None = None
    """The capture, with an empty body: where only the body is missing or is not what it was."""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Rest)
_place_decoder = msgspec.json.Decoder(_Place)


def encode(held: Held, lake_id: UUID) -> Message:
    """The message of a capture of that lake."""
    capture = held.capture
    rest = _Rest(
        lake_id=lake_id,
        position=held.position,
        source=capture.source,
        dataset=capture.dataset,
        slot=capture.slot.astimezone(UTC),
        page=capture.page,
        url=capture.url,
        params=capture.params,
        status=capture.status,
        headers=dict(capture.headers),
        requested_at=capture.requested_at.astimezone(UTC),
        received_at=capture.received_at.astimezone(UTC),
        run_id=capture.run_id,
        plugin_version=capture.plugin_version,
        traceparent=capture.traceparent,
        synthetic=capture.synthetic,
        sha256=capture.sha256,
        size=len(capture.body),
    )
    return Message(
        key=f"{capture.source}/{capture.dataset}/{capture.page}".encode(),
        value=capture.body,
        headers=[
            (SCHEMA_HEADER, _SCHEMA),
            (ID_HEADER, str(capture.id).encode()),
            (TRACE_HEADER, capture.traceparent.encode()),
            (CAPTURE_HEADER, _encoder.encode(rest)),
        ],
    )


def without_body(message: Message) -> Message:
    """The same capture where its body is too large for the topic: it says so, and the lake has the body."""
    return message._replace(value=b"", headers=[*message.headers, (BODY_HEADER, _LEFT_OUT)])


def decode(message: Message) -> Received | Unreadable:
    """The capture that a message holds, whole and unchanged; else why there is none."""
    headers, body = dict(message.headers), message.value or b""
    if twice := _twice(message.headers):
        return Unreadable((f"bad_header: {twice} stands there more than once",), body)
    schema = headers.get(SCHEMA_HEADER)
    if schema is None:
        return Unreadable((f"not_coinlake: there is no header {SCHEMA_HEADER}",), body)
    if schema != _SCHEMA:
        return Unreadable((f"unknown_schema: {SCHEMA_HEADER} is {_shown(schema)}; known is '1'",), body)
    try:
        rest = _decoder.decode(headers.get(CAPTURE_HEADER) or b"")
        received = _received(rest, body)
    except (msgspec.DecodeError, ValueError, OverflowError) as error:  # JSON, UTF-8, the ends of time
        return Unreadable((f"bad_header: {CAPTURE_HEADER}: {_shown(str(error).encode())}",), body)
    capture_id = str(received.held.capture.id).encode()
    if headers.get(ID_HEADER) != capture_id:
        said = _shown(headers.get(ID_HEADER) or b"")
        return Unreadable(
            (f"bad_header: {ID_HEADER} is {said}, but what {CAPTURE_HEADER} names is another",), body
        )
    if faults := tuple(_faults_of_body(message, rest, headers.get(BODY_HEADER))):
        return Unreadable(faults, body, _received(rest, b""))
    return received


def of_lake(found: Received | Unreadable, lake_id: UUID, original: bytes) -> Received | Unreadable:
    """What was decoded, unless it is of another lake: whose position and id mean nothing here."""
    named = found if isinstance(found, Received) else found.about
    if named is None or named.lake_id == lake_id:
        return found
    reason = f"{ANOTHER_LAKE}: capture {named.held.capture.id} is of lake {named.lake_id}, not of {lake_id}"
    return Unreadable((reason, *(found.reasons if isinstance(found, Unreadable) else ())), original)


def entry(message: Message, lake_id: UUID) -> Entry | None:
    """Which capture of that lake a message says it is; None where it says none. By its headers alone."""
    headers = dict(message.headers)
    if headers.get(SCHEMA_HEADER) != _SCHEMA or _twice(message.headers):
        return None
    try:
        place = _place_decoder.decode(headers.get(CAPTURE_HEADER) or b"")
        capture_id = UUID((headers.get(ID_HEADER) or b"").decode())
    except (msgspec.DecodeError, ValueError):
        return None
    return Entry(place.position, capture_id) if place.lake_id == lake_id else None


def _twice(headers: Headers) -> str | None:
    """The first of our headers that stands there more than once: which of the two counts, nobody can say."""
    names = [name for name, _ in headers]
    return next((name for name in _OURS if names.count(name) > 1), None)


def _received(rest: _Rest, body: bytes) -> Received:
    capture = Capture(
        source=rest.source,
        dataset=rest.dataset,
        slot=rest.slot.astimezone(UTC),
        page=rest.page,
        url=rest.url,
        params=rest.params,
        status=rest.status,
        headers=rest.headers,
        body=body,
        requested_at=rest.requested_at.astimezone(UTC),
        received_at=rest.received_at.astimezone(UTC),
        run_id=rest.run_id,
        plugin_version=rest.plugin_version,
        traceparent=rest.traceparent,
        synthetic=rest.synthetic,
    )
    vars(capture)["sha256"] = rest.sha256  # what it was stored under; the body is held against it
    return Received(rest.lake_id, Held(rest.position, capture))


def _faults_of_body(message: Message, rest: _Rest, body_header: bytes | None) -> Iterable[str]:
    if body_header is not None:
        yield (
            f"body_left_out: {rest.size} bytes are more than the topic takes; the lake has them "
            "(raise bus.max_message_bytes, run `coinlake bus init`, then `coinlake replay`)"
        )
        return
    if message.value is None:
        yield "no_body: the message has no value"
        return
    if hashlib.sha256(message.value).hexdigest() != rest.sha256:
        yield f"changed_body: {len(message.value)} bytes whose SHA-256 is not that of the capture"


def _shown(text: bytes) -> str:
    """A stranger's bytes, fit for a reason: short, printable, and without what no database stores."""
    return ascii(text[:_SHOWN_CHARACTERS].decode("utf-8", "replace"))
