"""A page as its rows, each with its own bytes, even where the page as a whole is not JSON.

The strict reader is msgspec. This one is for what msgspec refuses: it goes on behind a NaN, a bad byte
or a doubled key, and up to where a cut page ends, so that one bad row does not cost its neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_WHITE = " \t\n\r"


class Number(str):
    """The digits of a JSON number, as they stand in the text."""

    __slots__ = ()


class NotANumber(str):
    """NaN or Infinity, which are not JSON."""

    __slots__ = ()


class Pairs(dict[str, Any]):
    """An object, and the keys that stood in it more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.doubled = (
            sorted({name for name in names if names.count(name) > 1}) if len(names) > len(self) else []
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a page. `fault` says why its value could not be read."""

    path: str
    text: str
    """The element's text; bytes that are not UTF-8 stand in it as lone surrogates."""
    value: Any = None
    fault: str | None = None

    @property
    def original(self) -> bytes:
        """The element's bytes as received."""
        return self.text.encode("utf-8", "surrogateescape")


_reader = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=NotANumber
)


def rows_of(body: bytes) -> Iterator[Row]:
    """The elements of a page that should be a JSON array, in order.

    A row with path "" stands for the whole body: it is no array. The last row has a `fault` where the
    rest of the page cannot be told apart into rows any more.
    """
    text = body.decode("utf-8", "surrogateescape")
    at = _skip_white(text, 0)
    if text[at : at + 1] != "[":
        yield Row("", text, fault=_not_an_array(text, at))
        return
    at = _skip_white(text, at + 1)
    number = 0
    while text[at : at + 1] != "]":
        start = at
        try:
            value, at = _reader.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            yield Row(f"/{number}", text[start:], fault=_unreadable(text, error))
            return
        yield Row(f"/{number}", text[start:at], value)
        number += 1
        at = _skip_white(text, at)
        if text[at : at + 1] == ",":
            at = _skip_white(text, at + 1)
            if text[at : at + 1] == "]":
                yield Row(f"/{number}", text[at:], fault="not_json: a comma before the closing bracket")
                return
        elif text[at : at + 1] != "]":
            yield Row(f"/{number}", text[at:], fault=_unreadable(text, None, at))
            return
    rest = _skip_white(text, at + 1)
    if rest < len(text):
        yield Row(f"/{number}", text[rest:], fault="not_json: something stands behind the array")


def original(body: bytes, path: str) -> bytes:
    """The bytes of what a path names: "" the whole body, "/3" its fourth row."""
    if path:
        for row in rows_of(body):
            if row.path == path:
                return row.original
    return body


def _skip_white(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _WHITE:
        at += 1
    return at


def _not_an_array(text: str, at: int) -> str:
    if at == len(text):
        return "not_an_array: the body is empty"
    if text[at] == "<":
        return "not_an_array: the body looks like HTML"
    return f"not_an_array: the body starts with {text[at : at + 20]!a}"


def _unreadable(text: str, error: Exception | None, at: int | None = None) -> str:
    if isinstance(error, RecursionError):
        return "too_deep: nested too deeply to read"
    where = error.pos if isinstance(error, json.JSONDecodeError) else at
    if where is None or where >= len(text):
        return "truncated: the body ends within the array"
    return f"not_json: unexpected text at character {where}"
