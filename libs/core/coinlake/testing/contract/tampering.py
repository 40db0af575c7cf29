"""A row's JSON text taken apart and put together again, every other value verbatim."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_SEPARATORS = re.compile(r"(?<=\d)[,_' \u00a0](?=\d)")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number as amounts are written."""

Key = str | int


def fields(row: bytes) -> dict[Key, bytes]:
    """The members of an object, or the elements of an array, each with its text."""
    if row.lstrip().startswith(b"["):
        return {place: bytes(raw) for place, raw in enumerate(_array.decode(row))}
    return {key: bytes(raw) for key, raw in _object.decode(row).items()}


def built(row: bytes, values: Mapping[Key, bytes]) -> bytes:
    """A row of the same kind as `row` with these values' texts, which may be anything, even no JSON."""
    if row.lstrip().startswith(b"["):
        return b"[" + b",".join(values.values()) + b"]"
    return b"{" + b",".join(_encode(key) + b":" + text for key, text in values.items()) + b"}"


def is_number(text: bytes) -> bool:
    """Whether a value is a number, or a text that holds one."""
    return NUMBER.fullmatch(plain(text.decode().strip().strip('"'))) is not None


def plain(digits: str) -> str:
    """Digits without thousands separators."""
    return _SEPARATORS.sub("", digits)


def tokens(text: bytes) -> set[str]:
    """Every number of a JSON text as it stands there, and every text in it; none where it is no JSON.

    An independent reading, by the standard library: number tokens are never turned into numbers.
    """
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return set()
    return {plain(one) for one in _texts(value)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from _texts(member)
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element)
    elif isinstance(value, str):
        yield value
