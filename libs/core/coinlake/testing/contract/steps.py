"""Checks of what a step makes of rows: none lost, none made up, no digit changed, refusals that say why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import ClassVar

from coinlake.model import AMOUNTS, CANDLE_AMOUNTS, TABLES, Decoded
from coinlake.plugins import Step
from coinlake.testing.contract import batches as made
from coinlake.testing.contract.batches import KEYS, Row, key_of, place, rows_of

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_FLOAT_DIGITS = (16, 17)
"""Significant digits with which a binary float is written out."""
_ENOUGH = 5

Watch = Callable[[Decoded, Decoded], None]
"""Looks at a batch and what became of it."""


class Tried:
    """A step under test."""

    plugin: ClassVar[str]
    step: ClassVar[str]
    changes: ClassVar[frozenset[str]]
    leaves_out: ClassVar[frozenset[str]]
    raw: ClassVar[bool]

    def run(self, batch: Decoded) -> Decoded:
        """What the step makes of a batch."""
        steps: dict[str, Step] = dict(import_module(self.plugin).coinlake_stages())
        return steps[self.step](batch)

    def watch(self, look: Watch) -> None:
        """Shows many batches, small ones first, and what the step makes of each, to `look`."""
        for batch in (made.examples(), *made.batches(raw=self.raw)):
            look(batch, self.run(batch))


class StepChecks(Tried):
    """Part of `StageContract`."""

    def test_an_empty_batch_stays_empty(self) -> None:
        """Of nothing comes nothing; and each table may be the only one with rows."""
        assert self.run(Decoded()) == Decoded(), "Something was made of an empty batch."
        for name, table in made.examples()._asdict().items():
            self.run(Decoded()._replace(**{name: table}))

    def test_tables_keep_the_columns_of_the_model(self) -> None:
        """Names, types and order of the columns are those of `coinlake.model`, whatever the rows hold."""

        def look(_: Decoded, found: Decoded) -> None:
            for table, (name, schema) in zip(found, TABLES.items(), strict=True):
                assert table.schema == schema, (
                    f"Its {name} have not the columns of model.{name.upper()}: {table.schema.names}. "
                    f"Build them with `pa.RecordBatch.from_pylist(rows, model.{name.upper()})`."
                )

        self.watch(look)

    def test_every_row_ends_as_a_row_or_a_reject(self) -> None:
        """What does not go on is a reject, or a repeat of a row that does."""

        def look(batch: Decoded, found: Decoded) -> None:
            rejected = {place(reject) for reject in found.rejects.to_pylist()}
            for name in KEYS:
                rows = rows_of(found)[name]
                places, keys = {place(row) for row in rows}, {key_of(name, row) for row in rows}
                for row in rows_of(batch)[name]:
                    kept = place(row) in places or key_of(name, row) in keys
                    assert kept or place(row) in rejected, (
                        f"{name}: the row {key_of(name, row)} is gone. What a step does not hand on, it "
                        "rejects (`decoded.rejecting(…)`)."
                    )

        self.watch(look)

    def test_rows_name_the_place_they_come_from(self) -> None:
        """Capture and path, source, time of receipt and the mark of made-up answers are those of a row that
        came in."""

        def look(batch: Decoded, found: Decoded) -> None:
            came = {_origin(row) for name in KEYS for row in rows_of(batch)[name]}
            for name in KEYS:
                for row in rows_of(found)[name]:
                    assert _origin(row) in came, (
                        f"{name}: the row {key_of(name, row)} says that it comes from {_origin(row)}, where "
                        "none came from. Copy these columns from the row that it is made of."
                    )

        self.watch(look)

    def test_what_is_not_the_steps_business_stays(self) -> None:
        """A row that keeps its key keeps every column, but for those the step is declared to change."""

        def look(batch: Decoded, found: Decoded) -> None:
            for name, before, after in _pairs(batch, found):
                altered = [n for n in before if n not in self.changes and before[n] != after[n]]
                assert not altered, (
                    f"{name}: the row {key_of(name, before)} has other {', '.join(altered)} than before: "
                    f"{after[altered[0]]!r}, not {before[altered[0]]!r}. If that is the step's purpose, "
                    "name them in `changes`."
                )

        self.watch(look)

    def test_amounts_are_digits(self) -> None:
        """Every amount it writes is a number as JSON writes it: neither NaN nor infinity, nor words."""

        def look(batch: Decoded, found: Decoded) -> None:
            for name, row, column, text in _written(batch, found):
                assert text is None or _NUMBER.fullmatch(text), (
                    f"{name}: {column} of {key_of(name, row)} is {text!r}, which is no number."
                )

        self.watch(look)

    def test_no_amount_goes_through_a_float(self) -> None:
        """Amounts are computed as decimals: a float has 17 digits, and rounds what has more."""
        batch = made.examples()
        texts = [text for *_, text in _written(batch, self.run(batch)) if text]
        floats = [text for text in texts if _digits(text) in _FLOAT_DIGITS and _is_float(text)]
        assert len(floats) < max(_ENOUGH, len(texts) // 4), (
            f"{len(floats)} of {len(texts)} amounts look like binary floats: {', '.join(floats[:3])}, …. "
            "Compute with `decimal.Decimal` made from the text."
        )

    def test_null_stays_null_and_zero_stays_zero(self) -> None:
        """A row made of another has amounts where that has some, and a zero only where that has one."""

        def look(batch: Decoded, found: Decoded) -> None:
            origins = {place(row): row for name in KEYS for row in rows_of(batch)[name]}
            for name, row, column, text in _written(batch, found):
                before = origins.get(place(row), {}).get(column)
                before = None if column in self.leaves_out else before
                where = f"{name}: {column} of {key_of(name, row)}"
                assert (text is None) == (before is None), (
                    f"{where} is {text!r}, made of {before!r}. If the step leaves it null on purpose, name "
                    "it in `leaves_out`."
                )
                if text is not None and before is not None:
                    assert _is_zero(text) == _is_zero(before), (
                        f"{where} is {text}, made of {before}. Small is not zero: keep the digits."
                    )

        self.watch(look)

    def test_rejects_say_where_and_why(self) -> None:
        """A reject names this step, every reason, and the place of a row that came in."""

        def look(batch: Decoded, found: Decoded) -> None:
            came = {place(row) for rows in rows_of(batch).values() for row in rows}
            for reject in _new_rejects(batch, found):
                assert reject["stage"] == self.step, (
                    f"A reject says that {reject['stage']!r} refused it, which is not the step's name."
                )
                told = reject["reasons"] and all(reject["reasons"])
                assert told, f"The row at {place(reject)} is refused without a reason."
                assert place(reject) in came, f"A reject names {place(reject)}, where no row came from."

        self.watch(look)

    def test_what_it_makes_can_be_stored(self) -> None:
        """A value in every column that must have one, reasons without NUL, and no bytes of its own making."""

        def look(batch: Decoded, found: Decoded) -> None:
            for table, (name, schema) in zip(found, TABLES.items(), strict=True):
                empty = [f.name for f in schema if not f.nullable and table.column(f.name).null_count]
                assert not empty, (
                    f"{name}: {', '.join(empty)} must not be null. The warehouse refuses the whole batch."
                )
            received = batch.rejects.column("original").to_pylist()
            for reject in _new_rejects(batch, found):
                assert not any("\0" in (reason or "") for reason in reject["reasons"]), (
                    "A reason holds a NUL, which PostgreSQL cannot store. Show values by `repr`."
                )
                assert reject["original"] is None or reject["original"] in received, (
                    "A reject has bytes that the step made up. Leave `original` null: it is filled in from "
                    "the answer."
                )

        self.watch(look)

    def test_a_refused_row_does_not_go_on(self) -> None:
        """A row is loaded or a dead letter, never both."""

        def look(batch: Decoded, found: Decoded) -> None:
            refused = {place(reject) for reject in _new_rejects(batch, found)}
            for name in KEYS:
                both = refused & {place(row) for row in rows_of(found)[name]}
                assert not both, f"{name}: the rows at {sorted(both)} are refused and go on all the same."

        self.watch(look)

    def test_earlier_rejects_stay_as_they_are(self) -> None:
        """What earlier steps refused goes on untouched, with its bytes."""

        def look(batch: Decoded, found: Decoded) -> None:
            left = [repr(reject) for reject in found.rejects.to_pylist()]
            lost = [reject for reject in batch.rejects.to_pylist() if repr(reject) not in left]
            assert not lost, f"{len(lost)} rejects of earlier steps are gone or changed: add to them only."

        self.watch(look)


def _origin(row: Row) -> tuple[object, ...]:
    return (*place(row), row["source"], row["fetched_at"], row["synthetic"])


def _pairs(batch: Decoded, found: Decoded) -> Iterator[tuple[str, Row, Row]]:
    """Rows that came in and went on under the same key: table, before, after."""
    for name in KEYS:
        before = {(place(row), key_of(name, row)): row for row in rows_of(batch)[name]}
        for row in rows_of(found)[name]:
            if old := before.get((place(row), key_of(name, row))):
                yield name, old, row


def _written(batch: Decoded, found: Decoded) -> Iterator[tuple[str, Row, str, str | None]]:
    """Amounts that the step wrote: all of rows it made anew, of others what is not as it was."""
    for name, columns in (("quotes", AMOUNTS), ("candles", CANDLE_AMOUNTS)):
        before = {(place(row), key_of(name, row)): row for row in rows_of(batch)[name]}
        for row in rows_of(found)[name]:
            old = before.get((place(row), key_of(name, row)), {})
            for column in columns:
                if column not in old or old[column] != row[column]:
                    yield name, row, column, row[column]


def _new_rejects(batch: Decoded, found: Decoded) -> list[Row]:
    earlier = [repr(reject) for reject in batch.rejects.to_pylist()]
    return [reject for reject in found.rejects.to_pylist() if repr(reject) not in earlier]


def _digits(text: str) -> int:
    """Significant digits of a number."""
    return len(re.sub(r"[eE].*|[-.]", "", text).lstrip("0"))


def _is_float(text: str) -> bool:
    return _digits(repr(float(text))) == _digits(text)


def _is_zero(text: str) -> bool:
    return not re.search("[1-9]", re.sub("[eE].*", "", text))
