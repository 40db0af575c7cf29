"""A page as its rows, each with its own bytes, even where the page as a whole is not JSON.

The strict reader is msgspec. This one is for what msgspec refuses: it tells rows apart by their brackets
before it reads them, so that a row with a NaN, a bad byte, a doubled key or no sense at all costs none of
its neighbours, and of a cut page only the cut row is lost.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    key: str | None = None
    """The member's key, where rows are members of an object."""

    @property
    def original(self) -> bytes:
        """The element's bytes as received."""
        return self.text.encode("utf-8", "surrogateescape")


_reader = json.JSONDecoder(
    object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=NotANumber
)


Each = Literal["element", "member", "whole"]
"""What a row is: an element of an array, a member of an object, or all of the body."""


def rows_of(body: bytes, under: Sequence[str] = (), each: Each = "element") -> Iterator[Row]:
    """The rows of a page, in order; `under` are the keys that lead to the array or object that holds them.

    A row with path "" stands for the whole body: it does not hold what should be there. The last row has
    a `fault` where the page does not end as it should.
    """
    text = body.decode("utf-8", "surrogateescape")
    at = _behind_white(text, 0)
    if each == "whole":
        yield from _whole(text)
        return
    for name in under:
        place = _member(text, at, name)
        if place is None:
            yield Row("", text, fault=f"no_rows: the body has no /{'/'.join(under)}")
            return
        at = place
    opening, closing = ("[", "]") if each == "element" else ("{", "}")
    if text[at : at + 1] != opening:
        yield Row("", text, fault=_not_this(text, at, each))
        return
    above = "".join(f"/{_pointed(name)}" for name in under)
    number = 0
    end = _behind_white(text, at + 1)
    for first, end in _elements(text, at, closing):
        key, start = _key(text, first, end) if each == "member" else (None, first)
        for found, value, fault in _read(text[start:end].rstrip(_WHITE), closed=end < len(text)):
            yield Row(f"{above}/{number if key is None else _pointed(key)}", found, value, fault, key)
            number += 1
    if not under and (rest := text[end + 1 :].strip(_WHITE)):
        yield Row(f"/{number}", rest, fault=f"not_json: something stands behind the {_CONTAINERS[each]}")


def originals(body: bytes, paths: Collection[str]) -> dict[str, bytes]:
    """The bytes of what each path names: "" the whole body, "/3" its fourth row, "/rows/3" that of `rows`.

    A path that names no row is given the whole body too.
    """
    found = dict.fromkeys(paths, body)
    for above in {path.rpartition("/")[0] for path in paths if path}:
        under = [_unpointed(key) for key in above.split("/")[1:]]
        each: Each
        for each in ("element", "member"):
            found |= {row.path: row.original for row in rows_of(body, under, each) if row.path in found}
    return found


def _whole(text: str) -> Iterator[Row]:
    """The body as one row; with anything behind it, it is refused with all its text."""
    read = list(_read(text.strip(_WHITE), closed=True))
    fault = next((fault for _, _, fault in read if fault), None)
    yield Row("", text, fault=fault) if fault else Row("", read[0][0], read[0][1])


def _member(text: str, at: int, key: str) -> int | None:
    """Where the value of an object's member begins; None where `at` is no object, or has no such member."""
    if text[at : at + 1] != "{":
        return None
    for start, end in _elements(text, at, "}"):
        found, value = _key(text, start, end)
        if found == key:
            return value
    return None


def _elements(text: str, at: int, closing: str) -> Iterator[tuple[int, int]]:
    """Where each element (or member) of the array (or object) at `at` begins, and where its end is."""
    start = _behind_white(text, at + 1)
    more = text[start : start + 1] != closing
    while more:
        end = _end_of_row(text, start, closing)
        more = text[end : end + 1] == ","
        yield start, end
        start = _behind_white(text, end + 1)


def _key(text: str, start: int, end: int) -> tuple[str | None, int]:
    """The key of the member in [start, end), and where its value begins; no key where there is none."""
    try:
        key, behind = _reader.raw_decode(text[start:end])
    except (json.JSONDecodeError, RecursionError):
        return None, start
    colon = _behind_white(text, start + behind)
    if not isinstance(key, str) or text[colon : colon + 1] != ":":
        return None, start
    return key, _behind_white(text, colon + 1)


def _pointed(key: str) -> str:
    """A key as JSON pointers write it."""
    return key.replace("~", "~0").replace("/", "~1")


def _unpointed(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def _end_of_row(text: str, at: int, closing: str) -> int:
    """Where the comma or closing bracket behind a row stands; the end of the text where there is none."""
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
        elif sign in (",", closing):
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
        yield unread, None, "truncated: the body ends within its rows"
    elif unread or not text:
        yield unread, None, f"not_json: {fault}"


def _behind_white(text: str, at: int) -> int:
    match = _WHITE_RUN.match(text, at)
    return match.end() if match else at


_CONTAINERS: Mapping[Each, str] = {"element": "array", "member": "object", "whole": "body"}


def _not_this(text: str, at: int, each: Each) -> str:
    rule = f"not_an_{_CONTAINERS[each]}"
    if at == len(text):
        return f"{rule}: the body is empty"
    if text[at] == "<":
        return f"{rule}: the body looks like HTML"
    where = "in its place stands" if text[:at].strip(_WHITE) else "the body starts with"
    return f"{rule}: {where} {text[at : at + 20]!a}"
