"""The fast lane: pages of rows as documented, a column at a time.

It reads all the pages it is given or returns None, and then somebody reads them one by one, the odd ones
by the careful lane. So it may be strict about form, and never has to say what is wrong.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, starmap
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from coinlake.decoding.shape import MOMENT, NUMBERS, TEXTS, Shape

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_MOMENT = pa.timestamp("us", tz="UTC")
_IN_NUMBERS = b"0123456789+-.eE,nul"
"""The bytes of JSON numbers, of null, and of the commas between them."""


class Pages(NamedTuple):
    """Columns of several pages one behind the other, and how many rows each page has."""

    columns: dict[str, pa.Array]
    rows: list[int]


class Misfit(Exception):
    """These pages are not for the fast lane."""


class FastLane:
    """A reader of pages of one shape; made once, since making its decoder takes a while."""

    def __init__(self, shape: Shape) -> None:
        self._texts = [column for column in (*TEXTS, "as_of") if column in shape.keys]
        self._numbers = [column for column in NUMBERS if column in shape.keys]
        texts = [shape.keys[column] for column in self._texts]
        numbers = [shape.keys[column] for column in self._numbers]
        names = {key: f"key_{number}" for number, key in enumerate([*texts, *numbers, *shape.extra])}
        rename = {name: key for key, name in names.items()}
        extras: list[Any] = [
            (names[key], msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for key in shape.extra
        ]
        # gc=False: rows hold no containers, and the collector would walk them all, again and again.
        row = msgspec.defstruct(
            "Row",
            [
                *((names[key], str | None) for key in texts),
                *((names[key], msgspec.Raw) for key in numbers),
                *extras,
            ],
            rename=rename,
            forbid_unknown_fields=True,
            gc=False,
        )
        self._decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
        self._extra = msgspec.defstruct("Extra", extras, rename=rename, gc=False)
        self._of_texts = [operator.attrgetter(names[key]) for key in texts]
        self._of_numbers = [operator.attrgetter(names[key]) for key in numbers]
        self._of_extra = _getter([names[key] for key in shape.extra])
        # The bytes of a row's braces, keys, colons and commas.
        self._frame_size = len(_encode(dict.fromkeys((*texts, *numbers), ""))) - 2 * len((*texts, *numbers))

    def read(self, bodies: Sequence[bytes]) -> Pages | None:
        """The pages' columns and `extra` as text (`as_of` as time); None if any is not for this lane."""
        rows: list[Any] = []
        counts: list[int] = []
        try:
            for body in bodies:
                page = self._decode(body)
                rows += page
                counts.append(len(page))
            extras = _encode_lines(list(starmap(self._extra, map(self._of_extra, rows))))
            extra = _split(extras.removesuffix(b"\n"), "\n", len(rows))
            texts = self._text_arrays(rows)
            numbers = self._number_text(rows)
            if sum(map(len, bodies)) != self._least_size(counts, texts, numbers, extra):
                self._refuse_doubled_keys(bodies, len(rows), texts, extras)
            columns = texts | self._number_arrays(numbers, len(rows)) | {"extra": extra}
            columns["as_of"] = texts["as_of"].cast(_MOMENT)
            return Pages(columns, counts)
        except (msgspec.DecodeError, UnicodeDecodeError, pa.ArrowInvalid, Misfit, RecursionError):
            return None

    def _least_size(
        self, counts: Sequence[int], texts: Mapping[str, pa.Array], numbers: bytes, extra: pa.Array
    ) -> int:
        """The bytes of pages that say just this, each thing once, without white space or escapes.

        Pages of this size have no doubled keys, and real ones have this size.
        """
        around = sum(max(len("[]"), rows + len("[")) for rows in counts)
        said = len(numbers) - max(0, len(extra) * len(self._numbers) - 1)
        said += sum(_size(text, quotes=2) for text in texts.values())
        empty: int = pc.sum(pc.equal(extra, "{}")).as_py() or 0
        said += _size(extra, quotes=0) - len(extra) - empty  # `{"a":1}` adds `,"a":1`, and `{}` nothing
        return around + len(extra) * self._frame_size + said

    def _refuse_doubled_keys(
        self, bodies: Sequence[bytes], rows: int, texts: Mapping[str, pa.Array], extras: bytes
    ) -> None:
        """Decoding silently takes the last of two members with one key, so the colons are counted.

        Each stands behind a key that was read, in a text that was read, or in `extra`, where it stands
        again. Numbers hold none. An escaped colon would upset the count.
        """
        read = rows * (len(self._texts) + len(self._numbers)) + extras.count(b":")
        read += sum(pc.sum(pc.count_substring(text, ":")).as_py() or 0 for text in texts.values())
        if sum(body.count(b":") for body in bodies) != read:
            raise Misfit
        if any(b"\\" in body and b"\\u003a" in body.lower() for body in bodies):
            raise Misfit

    def _text_arrays(self, rows: Sequence[Any]) -> dict[str, pa.Array]:
        arrays = {
            column: pa.array(list(map(of_row, rows)), pa.string())
            for column, of_row in zip(self._texts, self._of_texts, strict=True)
        }
        if pc.all(pc.match_substring_regex(arrays["as_of"], f"^{MOMENT}$")).as_py() is False:
            raise Misfit
        return arrays

    def _number_text(self, rows: Sequence[Any]) -> bytes:
        """The numbers as they stand in the pages, column behind column, with commas between them."""
        values = chain.from_iterable(map(of_row, rows) for of_row in self._of_numbers)
        text: bytes = _encode(list(values))[1:-1]
        if text.translate(None, _IN_NUMBERS):
            raise Misfit  # a text, an object, true: no number nor null
        return text

    def _number_arrays(self, text: bytes, rows: int) -> dict[str, pa.Array]:
        """All number columns by one split of one text, which no loop over values comes near."""
        digits = _split(text, ",", rows * len(self._numbers))
        digits = pc.if_else(pc.equal(digits, "null"), pa.scalar(None, pa.string()), digits)
        return {column: digits.slice(number * rows, rows) for number, column in enumerate(self._numbers)}


def _size(texts: pa.Array, *, quotes: int) -> int:
    """The bytes of a column's values in JSON, if no character is escaped."""
    held: int = pc.sum(pc.binary_length(texts)).as_py() or 0
    nulls: int = texts.null_count
    return held + (len(texts) - nulls) * quotes + nulls * len("null")


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """attrgetter that returns a tuple for any number of names."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda row: tuple(getattr(row, name) for name in names)


def _split(text: bytes, separator: str, parts: int) -> pa.Array:
    """The parts of a text, as many as must be."""
    if not parts:
        return pa.array([], pa.string())
    array = pc.split_pattern(pa.array([text], pa.string()), separator).flatten()
    if len(array) != parts:
        raise Misfit
    return array
