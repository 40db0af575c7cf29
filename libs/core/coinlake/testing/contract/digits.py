"""Checks of the values in the rows: digits, nulls, zeros, texts, times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from coinlake.model import (
    AMOUNTS,
    CANDLE_AMOUNTS,
    CANDLE_WIDTHS,
    DAY_SUMMARY,
    INTERVALS,
    LIVE,
    TABLES,
    Decoded,
)
from coinlake.testing.contract.subject import Row, Specimen, Subject, decode, over, rows_of
from coinlake.testing.contract.tampering import NUMBER, Key, built, fields, is_number, tokens

DIGITS = (*AMOUNTS, *CANDLE_AMOUNTS, "rank", "trades", "price_step", "amount_step")
"""Columns of any table that hold digits as text."""
NAMES = ("asset", "symbol", "name", "instrument", "status")
"""Columns of any table that hold a venue's own text."""
CLOCK_TOLERANCE = timedelta(minutes=5)
_LOCAL = ("capture_id", "path", "extra")
_SCRIPTS = ("Ξ“ビット”🚀", "a\u200bb\u2060", "\u202eevil", "e\u0301", "ﬁ Å", "\u0627\u0644", " padded ")
_NO_NUMBERS = (b"NaN", b"Infinity", b'"NaN"', b'"-Infinity"', b'"0x10"', b'"1.2.3"', '"１２"'.encode(), b'""')

Altered = tuple[Specimen, Key, bytes, list[Row], Decoded]


def altered(subject: Subject, *texts: bytes) -> Iterator[Altered]:
    """Each specimen with each of its fields replaced by each text: the rows that stand in its place then."""
    source = subject.source()
    for specimen in subject.specimens:
        values = fields(specimen.row)
        for key in values:
            for text in texts:
                row = built(specimen.row, {**values, key: text})
                decoded = decode(source, specimen.altered(row))
                yield specimen, key, text, specimen.of(rows_of(decoded)), decoded


def changes(specimen: Specimen, rows: list[Row]) -> Iterator[tuple[str, Any, Any]]:
    """Columns whose value an alteration changed: name, before, after."""
    for before, after in zip(specimen.of(specimen.rows), rows, strict=False):
        for name in before.keys() - set(_LOCAL):
            if before[name] != after.get(name):
                yield name, before[name], after.get(name)


class ValueChecks:
    """Part of `SourceContract`."""

    def test_amounts_keep_the_digits_of_the_answer(self, subject: Subject) -> None:
        """Every digit as it stood in the JSON text, trailing zeros and exponents too."""
        for capture, decoded in subject.decoded:
            written = tokens(capture.body)
            for row in rows_of(decoded):
                strange = {name: row[name] for name in DIGITS if row.get(name) and row[name] not in written}
                assert not strange, (
                    f"{capture.url}, row {row['path']}: {strange} do not stand in the answer with these "
                    "digits. Take amounts with `fields.amount(…)` (or a `Shape`), never through a float."
                )

    def test_what_is_no_number_never_becomes_an_amount(self, subject: Subject) -> None:
        """NaN, Infinity, hexadecimal and other scripts' digits are refused or null."""
        for specimen, key, text, rows, _ in altered(subject, *_NO_NUMBERS):
            for row in rows:
                wrong = {n: row[n] for n in DIGITS if row.get(n) and not NUMBER.fullmatch(row[n])}
                assert not wrong, (
                    f"{specimen.capture.dataset}: {key} given as {text!r} became {wrong}. "
                    "Refuse it; `fields.amount(…)` does."
                )

    def test_a_null_stays_null(self, subject: Subject) -> None:
        """A field that is null gives a null column or a reject, never a zero or a made-up value."""
        for specimen, key, _, rows, _ in altered(subject, b"null"):
            for name, _, after in changes(specimen, rows):
                assert after is None, (
                    f"{specimen.capture.dataset}: with {key} null, {name} is {after!r}. "
                    "What the venue did not give is null: take out the default."
                )

    def test_a_zero_stays_zero(self, subject: Subject) -> None:
        """A field that is zero gives "0" in its column; null only where `zero_is_null` says so."""
        for specimen in subject.specimens:
            source, values = subject.source(), fields(specimen.row)
            for key, text in values.items():
                if not is_number(text):
                    continue
                zero = b'"0"' if text.startswith(b'"') else b"0"
                altered_row = built(specimen.row, {**values, key: zero})
                rows = specimen.of(rows_of(decode(source, specimen.altered(altered_row))))
                for name, _, after in changes(specimen, rows):
                    kept = after is not None and (name not in DIGITS or Decimal(after) == 0)
                    assert kept or name in subject.zero_is_null, (
                        f"{specimen.capture.dataset}: with {key} zero, {name} is {after!r}. A zero is a "
                        "fact; where the venue means `nothing` by it, name the column in `zero_is_null`."
                    )

    def test_names_of_any_script_are_kept(self, subject: Subject) -> None:
        """Texts come out character for character, zero-width and right-to-left ones too."""
        for script in _SCRIPTS:
            for specimen, key, _, rows, _ in altered(subject, msgspec.json.encode(script)):
                for name, _, after in changes(specimen, rows):
                    kept = after is None or name not in NAMES or after.lower() in script.lower()
                    assert kept, (
                        f"{specimen.capture.dataset}: {key} given as {script!r} made {name} {after!r}. "
                        "Keep texts as they stand: no cleaning, no other encoding."
                    )

    def test_text_that_cannot_be_stored_is_refused_not_raised(self, subject: Subject) -> None:
        """Half of a surrogate pair and a NUL cost at most their row."""
        for specimen, key, text, rows, decoded in altered(subject, rb'"\ud800"', rb'"a\u0000b"'):
            assert rows or decoded.rejects.num_rows, (
                f"{specimen.capture.dataset}: with {key} {text!r} the row is gone without a reject."
            )
            for row in rows:
                for name in NAMES:
                    (row.get(name) or "").encode()

    def test_a_field_of_another_type_is_never_guessed(self, subject: Subject) -> None:
        """true, an object, an array or a word where an amount stood gives a reject or a null."""
        for specimen, key, text, rows, decoded in altered(subject, b"true", b'{"a":7}', b"[7]", b'"x"'):
            where = f"{specimen.capture.dataset}: {key} given as {text.decode()}"
            assert rows or decoded.rejects.num_rows, f"{where}: the row is gone without a reject."
            for name, _, after in changes(specimen, rows):
                guessed = name in DIGITS and after is not None
                assert not guessed, f"{where} made {name} {after!r}. Refuse the row, or leave it null."

    def test_the_time_of_a_price_is_the_venues_own(self, subject: Subject) -> None:
        """`as_of` does not move with the time of receipt, but for day summaries (granularity "24h")."""
        for capture, decoded in subject.decoded:
            later = replace(capture, received_at=capture.received_at + timedelta(seconds=7))
            moved = {row["path"]: row for row in rows_of(decode(subject.source(), later))}
            for row in rows_of(decoded):
                for name in {"as_of", "open_time"} & row.keys():
                    same = row["path"] not in moved or moved[row["path"]][name] == row[name]
                    assert same or row["granularity"] == DAY_SUMMARY, (
                        f"{capture.url}, row {row['path']}: {name} is made of the time of receipt. Take the "
                        f"venue's time; what has none is of granularity model.DAY_SUMMARY."
                    )

    def test_no_row_is_ahead_of_its_receipt(self, subject: Subject) -> None:
        """Times are not in the future, and a candle is over when it is received."""
        for capture, decoded in subject.decoded:
            for row in rows_of(decoded):
                ended = over(row)
                assert ended is None or ended <= capture.received_at + CLOCK_TOLERANCE, (
                    f"{capture.url}, row {row['path']}: its time {ended} is after {capture.received_at}, "
                    "when it was received. Seconds, milliseconds? A candle that is still open is no row yet."
                )

    def test_rows_keep_to_the_words_of_the_model(self, subject: Subject) -> None:
        """Schemas, granularities, intervals, currencies in lower case, `extra` an object."""
        for capture, decoded in subject.decoded:
            for table, (name, schema) in zip(decoded, TABLES.items(), strict=True):
                assert table.schema == schema, f"{name} do not have the columns of model.{name.upper()}."
            for row in rows_of(decoded):
                wrong = "; ".join(_against_the_model(row))
                assert not wrong, f"{capture.url}, row {row['path']}: {wrong}."


def _against_the_model(row: Row) -> Iterator[str]:
    table = TABLES[row["table"]]
    for name in table.names:
        if not table.field(name).nullable and row[name] is None:
            yield f"{name} must not be null"
    currency = row["quote_currency"]
    if currency != (currency or "").lower() and currency is not None:
        yield f"quote_currency {currency!r} must be in lower case"
    if row["table"] == "quotes" and row["granularity"] not in {LIVE, DAY_SUMMARY, *INTERVALS}:
        yield f"granularity {row['granularity']!r} is unknown; see model.LIVE, DAY_SUMMARY and INTERVALS"
    if row["table"] == "candles" and row["interval"] not in CANDLE_WIDTHS:
        yield f"interval {row['interval']!r} is unknown; see model.CANDLE_WIDTHS"
    if row["extra"] is not None and not isinstance(msgspec.json.decode(row["extra"]), dict):
        yield "extra must be the text of a JSON object"
    for name in ("as_of", "open_time"):
        if isinstance(row.get(name), datetime) and row[name].utcoffset() != timedelta():
            yield f"{name} must be in UTC"
