"""The contract of steps finds every defect: a hostile sample step with a switch for each.

Each switch makes exactly one named check fail. A kit that passes a broken step is itself broken.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from coinlake.model import AMOUNTS, QUOTES, REJECTS, Decoded
from coinlake.plugins import Step, hookimpl
from coinlake.testing import StageContract

Row = dict[str, Any]

RATE = Decimal("0.9137")


def in_eur(amount: str | None) -> str | None:
    """Dollars in euros, every digit of them."""
    with localcontext(prec=100):
        return None if amount is None else str(Decimal(amount) * RATE)


def quotes(rows: list[Row]) -> pa.RecordBatch:
    """Rows as the table `quotes`."""
    return pa.RecordBatch.from_pylist(rows, QUOTES)


class Sample:
    """A well-behaved step: adds each quote in dollars in euros, and refuses quotes in bitcoin."""

    name = "sample"

    def __call__(self, decoded: Decoded) -> Decoded:
        rows = decoded.quotes.to_pylist()
        kept = [self.kept(row) for row in rows if row["quote_currency"] != "btc"]
        made = [self.made(row, rows) for row in rows if row["quote_currency"] == "usd"]
        refused = [self.refused(row) for row in rows if row["quote_currency"] == "btc"]
        return decoded._replace(quotes=quotes(kept + made)).rejecting(refused)

    def kept(self, row: Row) -> Row:
        return row

    def made(self, row: Row, rows: list[Row]) -> Row:
        return row | {"quote_currency": "eur"} | {name: self.amount(row[name]) for name in AMOUNTS}

    def amount(self, text: str | None) -> str | None:
        return in_eur(text)

    def refused(self, row: Row) -> Row:
        return {
            "capture_id": row["capture_id"],
            "path": row["path"],
            "stage": self.name,
            "reasons": ["not_wanted: it is quoted in btc"],
            "original": None,
        }


STEPS: dict[str, Step] = {"sample": Sample()}
SWITCHES: dict[str, str] = {}
"""Defects by name, each with the one check that must find it."""


def breaks(check: str) -> Callable[[type[Sample]], type[Sample]]:
    """Registers a step with a defect."""

    def register(step: type[Sample]) -> type[Sample]:
        step.name = step.__name__
        SWITCHES[step.name] = check
        STEPS[step.name] = step()
        return step

    return register


@hookimpl
def coinlake_stages() -> Mapping[str, Step]:
    """The sample and all its defects."""
    return STEPS


class TestSample(StageContract):
    """All checks pass."""

    plugin = __name__
    step = "sample"


@breaks("test_an_empty_batch_stays_empty")
class NeedsARow(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        if not any(table.num_rows for table in decoded):
            raise IndexError
        return super().__call__(decoded)


@breaks("test_tables_keep_the_columns_of_the_model")
class TurnsColumnsRound(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        found = super().__call__(decoded)
        names = QUOTES.names[::-1] if decoded.quotes.num_rows else QUOTES.names
        return found._replace(quotes=found.quotes.select(names))


@breaks("test_every_row_ends_as_a_row_or_a_reject")
class DropsARow(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        found = super().__call__(decoded)
        kept = [row for row in found.quotes.to_pylist() if row["quote_currency"] != "usdt"]
        return found._replace(quotes=quotes(kept))


@breaks("test_every_row_ends_as_a_row_or_a_reject")
class DropsATable(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        return super().__call__(decoded)._replace(candles=Decoded().candles)


@breaks("test_rows_name_the_place_they_come_from")
class ForgetsWhatIsMadeUp(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"synthetic": False}


@breaks("test_rows_name_the_place_they_come_from")
class SaysThatItIsTheSource(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"source": "ecb"}


@breaks("test_what_is_not_the_steps_business_stays")
class ForgetsTheRest(Sample):
    def kept(self, row: Row) -> Row:
        return row | {"extra": None}


@breaks("test_what_is_not_the_steps_business_stays")
class WritesPricesItsOwnWay(Sample):
    def kept(self, row: Row) -> Row:
        return row | {"price": row["price"] and f"{Decimal(row['price']):f}"}


@breaks("test_amounts_are_digits")
class WritesASign(Sample):
    def amount(self, text: str | None) -> str | None:
        return text and f"+{in_eur(text)}"


@breaks("test_no_amount_goes_through_a_float")
class ComputesWithFloats(Sample):
    def amount(self, text: str | None) -> str | None:
        return text and repr(float(text) * float(RATE))


@breaks("test_null_stays_null_and_zero_stays_zero")
class MakesNullZero(Sample):
    def amount(self, text: str | None) -> str | None:
        return in_eur(text or "0")


@breaks("test_null_stays_null_and_zero_stays_zero")
class RoundsToMicros(Sample):
    def amount(self, text: str | None) -> str | None:
        with localcontext(prec=100):
            return text and f"{Decimal(text) * RATE:.6f}"


@breaks("test_rejects_say_where_and_why")
class BlamesAnotherStep(Sample):
    def refused(self, row: Row) -> Row:
        return super().refused(row) | {"stage": "validate"}


@breaks("test_rejects_say_where_and_why")
class GivesNoReason(Sample):
    def refused(self, row: Row) -> Row:
        return super().refused(row) | {"reasons": []}


@breaks("test_what_it_makes_can_be_stored")
class NamesNoCurrency(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"quote_currency": None}


@breaks("test_what_it_makes_can_be_stored")
class GivesAReasonThatNobodyStores(Sample):
    def refused(self, row: Row) -> Row:
        return super().refused(row) | {"reasons": ["not_wanted: \0"]}


@breaks("test_what_it_makes_can_be_stored")
class MakesBytesUp(Sample):
    def refused(self, row: Row) -> Row:
        return super().refused(row) | {"original": b"{}"}


@breaks("test_a_refused_row_does_not_go_on")
class KeepsWhatItRefuses(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        rows = [row for row in decoded.quotes.to_pylist() if row["quote_currency"] == "btc"]
        found = super().__call__(decoded)
        return found._replace(quotes=quotes(found.quotes.to_pylist() + rows))


@breaks("test_earlier_rejects_stay_as_they_are")
class DropsRejectsWithoutBytes(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        rejects = [row for row in decoded.rejects.to_pylist() if row["original"] is not None]
        kept = decoded._replace(rejects=pa.RecordBatch.from_pylist(rejects, REJECTS))
        return super().__call__(kept)


@breaks("test_earlier_rejects_stay_as_they_are")
class RefusesAgain(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        rejects = [row | {"stage": self.name} for row in decoded.rejects.to_pylist()]
        kept = decoded._replace(rejects=pa.RecordBatch.from_pylist(rejects, REJECTS))
        return super().__call__(kept)


@breaks("test_the_step_is_pure")
class RemembersCalls(Sample):
    calls = 0

    def __call__(self, decoded: Decoded) -> Decoded:
        self.calls += 1
        found = super().__call__(decoded)
        return found._replace(quotes=quotes(found.quotes.to_pylist()[:: -1 if self.calls % 2 else 1]))


@breaks("test_the_order_of_rows_does_not_matter")
class LooksAtTheRowAbove(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        first = next(one for one in rows if one["capture_id"] == row["capture_id"])
        return super().made(row, rows) | {"name": first["asset"]}


@breaks("test_how_captures_are_cut_into_batches_does_not_matter")
class CountsTheBatch(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"name": str(len(rows))}


@breaks("test_another_process_gives_the_same")
class HashesNames(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"name": str(hash(row["asset"]))}


@breaks("test_another_process_gives_the_same")
class WritesLocalTimes(Sample):
    def made(self, row: Row, rows: list[Row]) -> Row:
        return super().made(row, rows) | {"name": str(row["as_of"].astimezone())}


@breaks("test_threads_do_not_meet")
class KeepsRowsOutside(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        self.decoded = decoded
        time.sleep(0.001)  # as a longer computation would
        return super().__call__(self.decoded)


@breaks("test_the_step_does_no_input_or_output")
class ReadsAFile(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        Path(os.devnull).read_bytes()
        return super().__call__(decoded)


@breaks("test_the_step_does_no_input_or_output")
class Prints(Sample):
    def __call__(self, decoded: Decoded) -> Decoded:
        print("refining", flush=True)
        return super().__call__(decoded)


@breaks("test_a_large_batch_stays_within_memory")
class KeepsWhatItSaw(Sample):
    def __init__(self) -> None:
        self.seen: list[pa.RecordBatch] = []

    def __call__(self, decoded: Decoded) -> Decoded:
        found = super().__call__(decoded)
        self.seen.append(found.quotes)
        return found


def checks() -> list[str]:
    """Every check there is."""
    return sorted(name for name in dir(StageContract) if name.startswith("test_"))


def failed(contract: StageContract) -> list[str]:
    """The checks that find something wrong."""
    found = []
    for name in checks():
        try:
            getattr(contract, name)()
        except Exception:
            found.append(name)
    return found


@pytest.mark.parametrize("defect", SWITCHES)
def test_a_defect_makes_exactly_its_check_fail(defect: str) -> None:
    contract = TestSample()
    contract.step = defect  # type: ignore[misc]
    assert failed(contract) == [SWITCHES[defect]]


def test_a_step_that_no_hook_offers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unmarked = "import coinlake.testing.hostile_step_test as it\ndef coinlake_stages(): return it.STEPS\n"
    (tmp_path / "unmarked_steps.py").write_text(unmarked)
    monkeypatch.syspath_prepend(tmp_path)
    contract = TestSample()
    contract.plugin = "unmarked_steps"  # type: ignore[misc]
    assert failed(contract) == ["test_the_step_is_offered_by_its_name"]


def test_every_check_has_a_defect_that_it_finds() -> None:
    told = {*SWITCHES.values(), "test_the_step_is_offered_by_its_name"}
    assert told == set(checks())
