"""A source's own reading of rows of any form: a function from the fields of one row to its columns.

    def ticker(fields: Fields, origin: Origin) -> Columns | None:
        return {
            "asset": fields.text("base"),
            "quote_currency": "usd",
            "price": fields.amount("last"),
            "as_of": fields.milliseconds("time"),
        }

    tickers = RowReader("quotes", ticker, under=("result", "list"))

What a field cannot be read as is noted with its reason, and the row becomes a reject, its neighbours
unharmed. What no column took goes into `extra`, digit for digit. Flat arrays of objects with plain JSON
numbers are read much faster by a `Shape`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec
import pyarrow as pa

from coinlake.decoding.careful import kind_of, moment_of, text_faults
from coinlake.decoding.pages import Each, Number, Pairs, Row, rows_of
from coinlake.model import TABLES, Decoded

Columns = Mapping[str, Any]
"""Columns of a row by name; amounts are digits as text, moments are aware."""

_SHARED = ("source", "capture_id", "synthetic", "path", "extra", "fetched_at")
"""Columns that come from the capture and the row's place in it, never from the function."""

_DIGITS = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Origin:
    """The capture that a row stands in."""

    dataset: str
    slot: datetime
    url: str
    """What was asked, without secrets."""
    params: Mapping[str, str]
    received_at: datetime
    answered_at: datetime
    """By it a candle is over, or is not; see `model.Capture`."""


class Fields:
    """The fields of one row, by key of an object or index of an array. A JSON null is None, always.

    A field that is absent, or not of the kind it is asked for, is None too, but refuses the row.
    """

    def __init__(self, row: Row) -> None:
        self.key = row.key
        """The member's key, where rows are members of an object."""
        self.faults: list[str] = []
        self._row = row
        self._values: Mapping[Any, Any] = (
            dict(enumerate(row.value)) if isinstance(row.value, list) else row.value
        )
        self._left: dict[Any, str] = {key: str(key) for key in self._values}

    def text(self, key: str | int, *, optional: bool = False) -> str | None:
        """A text, as it stands."""
        value = self._take(key, optional)
        if value is None or type(value) is str:
            return value
        self._wrong("not_a_text", key, kind_of(value))
        return None

    def amount(self, key: str | int, *, optional: bool = False, thousands: str = "") -> str | None:
        """The digits of a number, or of a text that holds one; `thousands` are separators to leave out."""
        value = self._take(key, optional)
        if value is None or isinstance(value, Number):
            return value if value is None else str(value)
        digits = value.replace(thousands, "") if thousands and type(value) is str else value
        if type(digits) is str and _DIGITS.fullmatch(digits):
            return digits
        self._wrong("not_a_number", key, f"{value[:40]!a}" if type(value) is str else kind_of(value))
        return None

    def milliseconds(self, key: str | int, *, optional: bool = False) -> datetime | None:
        """A moment given in milliseconds since 1970, as a number or a text."""
        return self._since_1970(key, optional, 1_000)

    def seconds(self, key: str | int, *, optional: bool = False) -> datetime | None:
        """A moment given in seconds since 1970, as a number or a text; kept to the microsecond."""
        return self._since_1970(key, optional, 1_000_000)

    def moment(self, key: str | int, *, optional: bool = False) -> datetime | None:
        """A moment given as ISO 8601 text with a zone."""
        value = self._take(key, optional)
        if value is None:
            return None
        found = moment_of(value) if type(value) is str else None
        if found is None:
            self._wrong("not_a_time", key, f"{str(value)[:40]!a}")
        return found

    def look(self, key: str | int) -> Any:
        """A value as it stands, to decide by; nothing is taken, so `extra` still keeps it. None if absent.

        Numbers and texts are texts of their digits and letters, objects mappings, arrays lists.
        """
        return self._values.get(key)

    def has(self, key: str | int) -> bool:
        """Whether the field is there, null or not."""
        return key in self._values

    def into_extra(self, key: str | int, name: str) -> None:
        """Keeps a field that no column holds under another name than its key."""
        if key in self._left:
            self._left[key] = name

    def refuse(self, reason: str) -> None:
        """Refuses the row: `reason` is a rule's name, a colon, and what broke it."""
        self.faults.append(reason)

    def extra(self) -> str:
        """The fields that nobody took, as the text of a JSON object, values verbatim."""
        text = self._row.text
        raw: Mapping[Any, msgspec.Raw] = (
            dict(enumerate(_array.decode(text)))
            if isinstance(self._row.value, list)
            else _object.decode(text)
        )
        return _encode({name: raw[key] for key, name in self._left.items()}).decode()

    def _take(self, key: str | int, optional: bool) -> Any:
        self._left.pop(key, None)
        if key not in self._values and not optional:
            self.faults.append(f"missing_key: {key}")
        return self._values.get(key)

    def _since_1970(self, key: str | int, optional: bool, microseconds: int) -> datetime | None:
        """A moment counted in units of so many microseconds."""
        value = self._take(key, optional)
        if value is None:
            return None
        try:
            if isinstance(value, str) and _DIGITS.fullmatch(value):
                return _EPOCH + timedelta(microseconds=int(Decimal(value) * microseconds))
        except OverflowError:
            pass  # no moment that a calendar holds
        self._wrong("not_a_time", key, f"{str(value)[:40]!a}")
        return None

    def _wrong(self, rule: str, key: str | int, found: str) -> None:
        self.faults.append(f"{rule}: {key} is {found}")


class RowReader:
    """Reads captures into rows of one table by a source's function. Make it once; reading is pure.

    `read` returns the columns of a row, or None for one that is no fact yet (a candle that is still open).
    A row without a column that its table has never null (a quote's currency) is refused.
    """

    def __init__(
        self,
        table: Literal["quotes", "candles", "instruments"],
        read: Callable[[Fields, Origin], Columns | None],
        *,
        under: Sequence[str] = (),
        each: Each = "element",
    ) -> None:
        self._table = table
        self._schema = TABLES[table]
        self._columns = {name for name in self._schema.names if name not in _SHARED}
        self._never_null = [
            field.name for field in self._schema if field.name in self._columns and not field.nullable
        ]
        self._read = read
        self._under = under
        self._each = each

    def read(self, captures: pa.RecordBatch) -> Decoded:
        """Rows and rejects of captures (`model.CAPTURES`), in their order; rejects carry their bytes."""
        rows: list[dict[str, Any]] = []
        rejects: list[dict[str, Any]] = []
        for capture in captures.to_pylist():
            origin = Origin(
                capture["dataset"],
                capture["slot"],
                capture["url"],
                dict(capture["params"]),
                capture["received_at"],
                capture["answered_at"],
            )
            for row in rows_of(capture["body"], self._under, self._each):
                columns, reasons = self._one(row, origin)
                place = {"capture_id": capture["capture_id"], "path": row.path}
                if reasons:
                    rejects.append(place | {"stage": "decode", "reasons": reasons, "original": row.original})
                elif columns is not None:
                    shared = {name: capture[name] for name in ("source", "synthetic")}
                    rows.append({**columns, **place, **shared, "fetched_at": capture["received_at"]})
        batch = pa.RecordBatch.from_pylist(rows, self._schema)
        return Decoded()._replace(**{self._table: batch}).rejecting(rejects)

    def _one(self, row: Row, origin: Origin) -> tuple[Columns | None, list[str]]:
        """The columns of a row, or every reason why it is refused."""
        if row.fault:
            return None, [row.fault]
        if not isinstance(row.value, (Pairs, list)):
            return None, [f"not_an_object: the row is {kind_of(row.value)}"]
        fields = Fields(row)
        reasons = text_faults(row)
        try:
            columns = self._read(fields, origin)
        except Exception as error:
            # Often what comes of a field that was refused; else a defect of the source, told as one.
            defect = [] if fields.faults else [f"decode_failed: {type(error).__name__}: {str(error)[:300]!a}"]
            return None, [*reasons, *fields.faults, *defect]
        if reasons or fields.faults:
            return None, [*reasons, *fields.faults]
        if columns is None:
            return None, []
        if strangers := set(columns) - self._columns:
            raise TypeError(f"{self._table} have no column {', '.join(sorted(strangers))}")
        if absent := [name for name in self._never_null if columns.get(name) is None]:
            return None, [f"no_{name}: {name} is null" for name in absent]
        return {**columns, "extra": fields.extra()}, []


def by_dataset(
    captures: pa.RecordBatch, decoders: Mapping[str, Callable[[pa.RecordBatch], Decoded]]
) -> Decoded:
    """Captures of several datasets, each by its own decoder."""
    datasets = captures.column("dataset").to_pylist()
    parts = []
    for dataset in dict.fromkeys(datasets):
        if dataset not in decoders:
            raise LookupError(f"this plugin's version reads no dataset {dataset!r}")
        chosen = pa.array([name == dataset for name in datasets], pa.bool_())
        parts.append(decoders[dataset](captures.filter(chosen)))
    return Decoded.joined(parts)
