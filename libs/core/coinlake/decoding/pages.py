"""A page as its rows, each with its own bytes, even where the page as a whole is not JSON.

The strict reader is msgspec. This one is for what msgspec refuses: it tells rows apart by their brackets
before it reads them, so that a row with a NaN, a bad byte, a doubled key or no sense at all costs none of
its neighbours, and of a cut page only the cut row is lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

_WHITE = " \t\n\r"
_WHITE_RUN = re.compile(f"[{_WHITE}]*")
_SIGN = re.compile(r'["\[\]{},]|\\.', re.DOTALL)
"""What tells where a row ends, and escapes, because one may hide a quotation mark."""


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
        self.doubled: list[str] = []
        if len(pairs) > len(self):
            times = Counter(name for name, _ in pairs)
            self.doubled = sorted(name for name in times if times[name] > 1)


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
    page does not end as an array does.
    """
    text = body.decode("utf-8", "surrogateescape")
    at = _behind_white(text, 0)
    if text[at : at + 1] != "[":
        yield Row("", text, fault=_not_an_array(text, at))
        return
    number = 0
    end = at = _behind_white(text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        end = _end_of_row(text, at)
        more = text[end : end + 1] == ","
        for found, value, fault in _read(text[at:end].rstrip(_WHITE), closed=end < len(text)):
            yield Row(f"/{number}", found, value, fault)
            number += 1
        at = _behind_white(text, end + 1)
    if rest := text[end + 1 :].strip(_WHITE):
        yield Row(f"/{number}", rest, fault="not_json: something stands behind the array")


def originals(body: bytes, paths: Collection[str]) -> dict[str, bytes]:
    """The bytes of what each path names: "" the whole body, "/3" its fourth row.

    A path that names no row of an array is given the whole body too.
    """
    found = dict.fromkeys(paths, body)
    found |= {row.path: row.original for row in rows_of(body) if row.path in found}
    return found


def _end_of_row(text: str, at: int) -> int:
    """Where the comma or bracket behind a row stands; the end of the text where there is none."""
    depth = 0
    quoted = False
    for match in _SIGN.finditer(text, at):
        sign = match[0]
        if sign == '"':
            quoted = not quoted
        elif quoted or sign[0] == "\\":
            continue
        elif sign in "[{":
            depth += 1
        elif depth:
            depth -= sign in "]}"
        elif sign != "}":
            return match.start()
    return len(text)


def _read(text: str, closed: bool) -> Iterator[tuple[str, Any, str | None]]:
    """What stands between two commas: text, value and fault of the row, and of what should not be there."""
    try:
        value, end = _reader.raw_decode(text)
    except RecursionError:
        yield text, None, "too_deep: nested too deeply to read"
        return
    except json.JSONDecodeError as error:
        unread = text
        fault = f"unexpected text at character {error.pos} of the row" if text else "a comma without a row"
    else:
        yield text[:end], value, None
        unread = text[end:].lstrip(_WHITE)
        fault = "something stands behind the row"
    if not closed:
        yield unread, None, "truncated: the body ends within the array"
    elif unread or not text:
        yield unread, None, f"not_json: {fault}"


def _behind_white(text: str, at: int) -> int:
    match = _WHITE_RUN.match(text, at)
    return match.end() if match else at


def _not_an_array(text: str, at: int) -> str:
    if at == len(text):
        return "not_an_array: the body is empty"
    if text[at] == "<":
        return "not_an_array: the body looks like HTML"
    return f"not_an_array: the body starts with {text[at : at + 20]!a}"
