"""The contract of sources finds every defect of decoding: a hostile sample with a switch for each.

Each switch makes exactly one named check fail. A kit that passes a broken plugin is itself broken.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from coinlake.decoding import Columns, Fields, Origin
from coinlake.model import CAPTURES, QUOTES, REJECTS, Decoded
from coinlake.testing.source_contract_test import Sample, Switches, failed

Row = dict[str, Any]

SWITCHES = Switches()


def edited(decoded: Decoded, edit: Callable[[Row], Row]) -> Decoded:
    """The quotes changed row by row."""
    rows = [edit(dict(row)) for row in decoded.quotes.to_pylist()]
    return decoded._replace(quotes=pa.RecordBatch.from_pylist(rows, QUOTES))


def swapped(captures: pa.RecordBatch, old: bytes, new: bytes) -> pa.RecordBatch:
    """The captures with something else in their bodies."""
    rows = [{**row, "body": row["body"].replace(old, new)} for row in captures.to_pylist()]
    return pa.RecordBatch.from_pylist(rows, CAPTURES)


def without(captures: pa.RecordBatch, unwanted: Callable[[bytes], bool]) -> pa.RecordBatch:
    """The captures but for those whose body is unwanted."""
    kept = [not unwanted(body) for body in captures.column("body").to_pylist()]
    return captures.filter(pa.array(kept, pa.bool_()))


def odd_ids(captures: pa.RecordBatch) -> set[str]:
    """Ids of the pages with a notice."""
    return {row["capture_id"] for row in captures.to_pylist() if b'"notice"' in row["body"]}


class EditsOddPages(Sample):
    """Edits the rows of pages with a notice, and no others."""

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        odd = odd_ids(captures)
        return edited(
            super().decode(captures), lambda row: self.odd(row) if row["capture_id"] in odd else row
        )

    def odd(self, row: Row) -> Row:
        return row


@SWITCHES.breaks("test_every_recording_becomes_rows_or_rejects")
class SkipsNotices(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(without(captures, lambda body: b'"notice"' in body))


@SWITCHES.breaks("test_rejects_say_why_and_keep_their_bytes")
class GivesNoReason(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(captures)
        rows = [{**row, "reasons": []} for row in decoded.rejects.to_pylist()]
        return decoded._replace(rejects=pa.RecordBatch.from_pylist(rows, REJECTS))


@SWITCHES.breaks("test_rows_name_their_place")
class NamesTheFirstRow(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"path": "/rows/0"}


@SWITCHES.breaks("test_rows_name_their_place")
class NamesNoPlace(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"path": "/row/0"}


@SWITCHES.breaks("test_rows_name_their_capture")
class NamesAnotherReceipt(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"fetched_at": row["fetched_at"] + timedelta(seconds=1)}


@SWITCHES.breaks("test_an_unknown_key_is_kept_with_its_exact_text")
class DropsUnknownKeys(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return edited(super().decode(captures), lambda row: row | {"extra": '{"flags":0}'})


@SWITCHES.breaks("test_a_missing_key_costs_at_most_its_row")
class MakesNamesUp(Sample):
    def ticker(self, fields: Fields, origin: Origin) -> Columns:
        columns = super().ticker(fields, origin)
        if fields.has("name"):
            return columns
        fields.faults.remove("missing_key: name")
        return {**columns, "name": "?"}


@SWITCHES.breaks("test_a_bad_row_costs_none_of_its_neighbours")
class GivesThePageUp(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(captures)
        reasons = str(decoded.rejects.column("reasons").to_pylist())
        return decoded._replace(quotes=decoded.quotes[:0]) if "not_an_object" in reasons else decoded


@SWITCHES.breaks("test_a_cut_page_is_told_and_makes_no_row_up")
class HidesCuts(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(captures)
        rows = [row for row in decoded.rejects.to_pylist() if "truncated" not in row["reasons"][0]]
        return decoded._replace(rejects=pa.RecordBatch.from_pylist(rows, REJECTS))


@SWITCHES.breaks("test_a_body_that_is_no_json_is_rejected")
class SkipsOddBytes(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(without(captures, lambda body: body.startswith(b"\xff")))


@SWITCHES.breaks("test_a_broken_answer_costs_no_other_capture")
class GivesTheBatchUp(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        broken = [body for body in captures.column("body").to_pylist() if body[:1] not in b"{["]
        return Decoded() if broken and captures.num_rows > 1 else super().decode(captures)


@SWITCHES.breaks("test_decoding_is_pure")
class RemembersCalls(Sample):
    calls = 0

    def decode(self, captures: pa.RecordBatch) -> Decoded:
        self.calls += 1
        decoded = super().decode(captures)
        backwards = pa.array(reversed(range(decoded.quotes.num_rows)), pa.int64())
        return decoded._replace(quotes=decoded.quotes.take(backwards)) if self.calls % 2 else decoded


@SWITCHES.breaks("test_rows_do_not_depend_on_order_or_batches")
class LooksAtNeighbours(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(captures)
        alone = captures.num_rows == 1 or not odd_ids(captures)
        return decoded if alone else edited(decoded, lambda row: row | {"name": None})


@SWITCHES.breaks("test_decoding_does_no_input_or_output")
class ReadsAFile(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        with open(os.devnull):
            return super().decode(captures)


@SWITCHES.breaks("test_decoding_stays_within_memory")
class TakesAllMemory(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        copies = bytearray(100_000_000 if captures.num_rows > 100 else 1)
        return super().decode(captures) if copies else Decoded()


@SWITCHES.breaks("test_amounts_keep_the_digits_of_the_answer")
class UsesFloats(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return edited(
            super().decode(captures), lambda row: row | {"price": row["price"] and str(float(row["price"]))}
        )


@SWITCHES.breaks("test_what_is_no_number_never_becomes_an_amount")
class LetsNaNThrough(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(swapped(captures, b'"last":"NaN"', b'"last":"777.25"'))
        return edited(decoded, lambda row: row | {"price": "NaN"} if row["price"] == "777.25" else row)


@SWITCHES.breaks("test_a_null_stays_null")
class MakesZerosOfNulls(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(swapped(captures, b'"volume":null', b'"volume":0'))


@SWITCHES.breaks("test_a_zero_stays_zero")
class MakesNullsOfZeros(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(swapped(captures, b'"volume":0,', b'"volume":null,'))


@SWITCHES.breaks("test_names_of_any_script_are_kept")
class KeepsLatinLetters(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return edited(
            super().decode(captures),
            lambda row: row | {"name": row["name"] and row["name"].encode("ascii", "ignore").decode()},
        )


@SWITCHES.breaks("test_text_that_cannot_be_stored_is_refused_not_raised")
class RaisesOnHalfACharacter(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        if any(rb"\ud800" in body for body in captures.column("body").to_pylist()):
            raise UnicodeError("half of a character")
        return super().decode(captures)


@SWITCHES.breaks("test_a_field_of_another_type_is_never_guessed")
class CountsTrueAsOne(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(swapped(captures, b'"volume":true', b'"volume":1'))


@SWITCHES.breaks("test_the_time_of_a_price_is_the_venues_own")
class UsesTheTimeOfReceipt(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"as_of": row["fetched_at"]}


@SWITCHES.breaks("test_no_row_is_ahead_of_its_receipt")
class TakesLocalTimeForUtc(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"as_of": row["as_of"] + timedelta(hours=2)}


@SWITCHES.breaks("test_rows_keep_to_the_words_of_the_model")
class ShoutsCurrencies(EditsOddPages):
    def odd(self, row: Row) -> Row:
        return row | {"quote_currency": "USD"}


@SWITCHES.breaks("test_a_row_on_two_pages_is_a_row_of_each")
class WantsEachRowOnce(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        decoded = super().decode(captures)
        slots = {row["capture_id"]: row["slot"] for row in captures.to_pylist()}
        keys = [(row["asset"], slots[row["capture_id"]]) for row in decoded.quotes.to_pylist()]
        if len(set(keys)) < len(keys):
            raise ValueError("a row is there twice")
        return decoded


@SWITCHES.breaks("test_an_error_under_200_makes_no_rows")
class SkipsErrors(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(without(captures, lambda body: b'"error_code"' in body))


@SWITCHES.breaks("test_a_web_page_under_200_makes_no_rows")
class SkipsWebPages(Sample):
    def decode(self, captures: pa.RecordBatch) -> Decoded:
        return super().decode(without(captures, lambda body: body.startswith(b"<")))


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_defect_makes_exactly_its_check_fail(switch: str, tmp_path: Path) -> None:
    check, defect = SWITCHES[switch]
    assert failed(tmp_path, defect) == [check]
