"""A capture as a document of MongoDB, and back: pure, and readable in the shell.

Moments are UTC text with six digits of a second, which sorts as text: BSON's own dates know milliseconds.
Params and headers are lists of pairs, since a name may hold what a field's name may not.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bson import Binary

from coinlake.model import Capture, Held

PLAIN_BODY_BYTES = 15 * 1024 * 1024
"""A longer body is packed: a document may have 16 MB in all."""

_MOMENT = {"bsonType": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$"}
_TEXT = {"bsonType": "string"}
_NUMBER = {"bsonType": ["int", "long"]}
_PAIRS = {
    "bsonType": "array",
    "items": {"bsonType": "array", "minItems": 2, "maxItems": 2, "items": _TEXT},
}

_FIELDS = {
    "_id": {"bsonType": "binData", "description": "the capture's id: the identity key as one value"},
    "position": {**_NUMBER, "minimum": 1, "description": "one more than that of the capture before"},
    "source": _TEXT,
    "dataset": _TEXT,
    "slot": _MOMENT,
    "page": _NUMBER,
    "sha256": {"bsonType": "string", "pattern": "^[0-9a-f]{64}$", "description": "of the body as it came"},
    "size": {**_NUMBER, "minimum": 0, "description": "bytes of the body as it came"},
    "status": _NUMBER,
    "url": _TEXT,
    "params": _PAIRS,
    "headers": _PAIRS,
    "requested_at": _MOMENT,
    "received_at": _MOMENT,
    "run_id": _TEXT,
    "plugin_version": _TEXT,
    "traceparent": _TEXT,
    "synthetic": {"bsonType": "bool"},
    "body_encoding": {"enum": ["gzip"], "description": "only where the body is packed"},
    "body": {"bsonType": ["string", "binData"], "description": "text where it is UTF-8"},
}

VALIDATOR = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": [name for name in _FIELDS if name != "body_encoding"],
        "additionalProperties": False,
        "properties": _FIELDS,
    }
}
"""What MongoDB checks of every capture."""


def document(capture: Capture) -> dict[str, Any]:
    """The document of a capture, without the position that it is yet to get."""
    packed = len(capture.body) > PLAIN_BODY_BYTES
    return {
        "_id": capture.id,
        "source": capture.source,
        "dataset": capture.dataset,
        "slot": text(capture.slot),
        "page": capture.page,
        "sha256": capture.sha256,
        "size": len(capture.body),
        "status": capture.status,
        "url": capture.url,
        "params": [list(pair) for pair in capture.params],
        "headers": [list(pair) for pair in capture.headers.items()],
        "requested_at": text(capture.requested_at),
        "received_at": text(capture.received_at),
        "run_id": capture.run_id,
        "plugin_version": capture.plugin_version,
        "traceparent": capture.traceparent,
        "synthetic": capture.synthetic,
        **({"body_encoding": "gzip"} if packed else {}),
        "body": Binary(gzip.compress(capture.body, mtime=0)) if packed else _readable(capture.body),
    }


def held(found: Mapping[str, Any]) -> Held:
    """The capture of a document. Raises `ValueError` where it is not what `document` makes."""
    try:
        capture = Capture(
            source=found["source"],
            dataset=found["dataset"],
            slot=datetime.fromisoformat(found["slot"]),
            page=found["page"],
            url=found["url"],
            params=tuple((name, value) for name, value in found["params"]),
            status=found["status"],
            headers=dict(found["headers"]),
            body=_body(found),
            requested_at=datetime.fromisoformat(found["requested_at"]),
            received_at=datetime.fromisoformat(found["received_at"]),
            run_id=found["run_id"],
            plugin_version=found["plugin_version"],
            traceparent=found["traceparent"],
            synthetic=found["synthetic"],
        )
        # What it was stored under, not what the bytes are now: `audit` compares the two.
        vars(capture).update(id=found["_id"], sha256=found["sha256"])
        return Held(found["position"], capture)
    except (KeyError, TypeError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def text(moment: datetime) -> str:
    """UTC with six digits of a second, so that it sorts as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _readable(body: bytes) -> str | Binary:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return Binary(body)


def _body(found: Mapping[str, Any]) -> bytes:
    body = found["body"]
    if isinstance(body, str):
        return body.encode()
    return gzip.decompress(body) if "body_encoding" in found else bytes(body)
