"""The careful lane: one row at a time, every reason named, the neighbours unharmed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from coinlake.decoding.pages import NotANumber, Number, Pairs, Row, rows_of
from coinlake.decoding.shape import COLUMNS, MOMENT, NUMBERS, TEXTS, Shape

_MOMENT = re.compile(MOMENT)
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw])
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode

Read = dict[str, Any]
"""A row that was read: its path, its columns as text (`as_of` as datetime), and its `extra`."""


def read_page(body: bytes, shape: Shape) -> tuple[list[Read], list[tuple[Row, list[str]]]]:
    """The rows of a page that can be read, and those that cannot, each with every reason."""
    read: list[Read] = []
    rejected: list[tuple[Row, list[str]]] = []
    for row in rows_of(body):
        reasons = _faults(row, shape)
        if reasons:
            rejected.append((row, reasons))
        else:
            read.append(_read(row, shape))
    return read, rejected


def _faults(row: Row, shape: Shape) -> list[str]:
    if row.fault:
        return [row.fault]
    if not isinstance(row.value, Pairs):
        return [f"not_an_object: the row is {kind_of(row.value)}"]
    reasons = text_faults(row)
    for column in COLUMNS:
        key = shape.keys.get(column)
        if key is None:
            continue
        if key not in row.value:
            if column in shape.required:
                reasons.append(f"missing_key: {key}")
        elif fault := _value_fault(column, row.value[key]):
            reasons.append(f"{fault[0]}: {key} is {fault[1]}")
    return reasons


def text_faults(row: Row) -> list[str]:
    """Faults of a row's text that say nothing of a single column."""
    reasons = [f"duplicate_key: {name[:40]!a}" for name in getattr(row.value, "doubled", ())]
    try:
        row.text.encode("utf-8")
    except UnicodeEncodeError:
        return [*reasons, "not_utf8: the row holds bytes that are not UTF-8"]
    try:
        _raw.decode(row.text)
    except (msgspec.DecodeError, RecursionError):
        # A NaN or half of a surrogate pair: Python's reader takes what the standard forbids.
        reasons.append("not_json: the row holds NaN, Infinity or half a character")
    return reasons


def _value_fault(column: str, value: Any) -> tuple[str, str] | None:
    """(rule, what it is) where a value is not of its column's kind; a null always is."""
    if value is None:
        return None
    if column in NUMBERS:
        return None if isinstance(value, Number) else ("not_a_number", kind_of(value))
    if type(value) is not str:
        return "not_a_text", kind_of(value)
    if column not in TEXTS and moment_of(value) is None:
        return "not_a_time", f"{value[:40]!a}"
    return None


def moment_of(text: str) -> datetime | None:
    """The moment of an ISO 8601 text with a zone, in UTC; None where it is none."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def kind_of(value: Any) -> str:
    """What kind of JSON value it is, in words."""
    if isinstance(value, NotANumber):
        return str(value)
    for kind, word in ((Number, "a number"), (str, "a text"), (bool, "true or false")):
        if isinstance(value, kind):
            return word
    return {dict: "an object", Pairs: "an object", list: "an array", type(None): "null"}[type(value)]


def _read(row: Row, shape: Shape) -> Read:
    columns: Read = {"path": row.path}
    for column in COLUMNS:
        value = row.value.get(shape.keys.get(column))
        columns[column] = value if value is None else str(value)
    if columns["as_of"] is not None:
        columns["as_of"] = moment_of(columns["as_of"])
    columns["extra"] = _extra(row.text, shape)
    return columns


def _extra(text: str, shape: Shape) -> str:
    """The members without a column as a JSON object, values verbatim; documented keys come first."""
    members = _raw_object.decode(text)
    known = set(shape.keys.values())
    names = [name for name in shape.extra if name in members]
    names += [name for name in members if name not in known and name not in shape.extra]
    return _encode({name: members[name] for name in names}).decode()
