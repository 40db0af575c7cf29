"""A plugin's fault costs the capture it is about, and no other."""

from __future__ import annotations

import pyarrow as pa
import pytest

from coinlake.model import REJECTS, Decoded, capture_batch
from coinlake.refining import Refinery, reject_whole
from coinlake.testing.pages import capture, decode, page, row


def failing_on(asset: str) -> Refinery:
    """A refinery whose step raises when a batch holds an asset."""

    def step(decoded: Decoded) -> Decoded:
        if asset in decoded.quotes.column("asset").to_pylist():
            raise ZeroDivisionError(f"cannot bear {asset}")
        return decoded

    return Refinery({"pages": decode}, [("picky", step)])


@pytest.mark.parametrize("place", range(5))
def test_a_step_that_raises_costs_only_the_capture_it_raised_on(place: int) -> None:
    captures = [capture(page(row(f"coin{number}")), page=number) for number in range(5)]
    found = failing_on(f"coin{place}").refine(capture_batch(captures))
    assert sorted(found.quotes.column("asset").to_pylist()) == [f"coin{n}" for n in range(5) if n != place]
    (reject,) = found.rejects.to_pylist()
    assert reject["capture_id"] == str(captures[place].id)
    assert (reject["path"], reject["stage"]) == ("", "picky")
    assert reject["reasons"] == [f"picky_failed: ZeroDivisionError: cannot bear coin{place}"]
    assert reject["original"] == captures[place].body


def test_a_decoder_that_raises_costs_only_its_capture() -> None:
    def decoder(captures: pa.RecordBatch) -> Decoded:
        if b"poison" in b"".join(captures.column("body").to_pylist()):
            raise RecursionError("too deep")
        return decode(captures)

    captures = [capture(page(row("good"))), capture(b"poison", page=2)]
    found = Refinery({"pages": decoder}, []).refine(capture_batch(captures))
    assert found.quotes.num_rows == 1
    assert found.rejects.column("reasons").to_pylist() == [["decode_failed: RecursionError: too deep"]]


def test_a_capture_of_a_source_nobody_knows_is_a_dead_letter_and_not_a_crash() -> None:
    found = Refinery({"pages": decode}, []).refine(
        capture_batch([capture(page(row("good"))), capture(page(row("bad")), source="gone")])
    )
    assert found.quotes.column("asset").to_pylist() == ["good"]
    assert found.rejects.column("reasons").to_pylist() == [
        ["decode_failed: LookupError: no plugin for source 'gone' is loaded"]
    ]


def test_a_step_that_makes_other_columns_costs_its_capture_and_does_not_stop_the_rest() -> None:
    def step(decoded: Decoded) -> Decoded:
        if "odd" in decoded.quotes.column("asset").to_pylist():
            return Decoded(decoded.quotes.drop_columns(["price"]), decoded.rejects)
        return decoded

    captures = [capture(page(row("good"))), capture(page(row("odd")), page=2)]
    found = Refinery({"pages": decode}, [("narrow", step)]).refine(capture_batch(captures))
    assert found.quotes.column("asset").to_pylist() == ["good"]
    assert found.rejects.column("reasons").to_pylist() == [
        ["narrow_failed: TypeError: its quotes do not have the columns of model.QUOTES"]
    ]


@pytest.mark.parametrize(
    ("message", "kept"),
    [("a\0b", "a\\0b"), ("half \ud800", "half \\ud800"), ("x" * 2_000_000, "x" * 900)],
    ids=["NUL", "half a character", "endless"],
)
def test_whatever_a_plugin_raises_is_told_in_words_a_database_can_store(message: str, kept: str) -> None:
    def decoder(captures: pa.RecordBatch) -> Decoded:
        raise ValueError(message)

    found = Refinery({"pages": decoder}, []).refine(capture_batch([capture(b"[]")]))
    [[reason]] = found.rejects.column("reasons").to_pylist()
    assert reason.startswith(f"decode_failed: ValueError: {kept}")
    assert len(reason) <= 1000


def test_no_captures_are_no_rows() -> None:
    found = Refinery({}, []).refine(capture_batch([]))
    assert (found.quotes.num_rows, found.rejects.num_rows) == (0, 0)


@pytest.mark.timeout(60)
def test_a_page_of_which_every_row_is_refused_is_read_again_once_and_not_once_a_row() -> None:
    def refuse_all(decoded: Decoded) -> Decoded:
        place = decoded.quotes.select(["capture_id", "path"])
        rejects = [one | {"stage": "all", "reasons": ["x"], "original": None} for one in place.to_pylist()]
        return Decoded(decoded.quotes[:0], pa.RecordBatch.from_pylist(rejects, REJECTS))

    rows = [row(f"coin{number}") for number in range(5000)]
    found = Refinery({"pages": decode}, [("all", refuse_all)]).refine(capture_batch([capture(page(*rows))]))
    assert found.rejects.column("original").to_pylist() == [text.encode() for text in rows]


def test_rejects_of_later_steps_get_their_own_bytes_from_the_body() -> None:
    def refuse_all(decoded: Decoded) -> Decoded:
        rejects = [
            {
                "capture_id": q["capture_id"],
                "path": q["path"],
                "stage": "all",
                "reasons": ["x"],
                "original": None,
            }
            for q in decoded.quotes.to_pylist()
        ]
        return Decoded(decoded.quotes[:0], pa.RecordBatch.from_pylist(rejects, REJECTS))

    rows = [row("a"), row("b", name='"ü"')]
    found = Refinery({"pages": decode}, [("all", refuse_all)]).refine(capture_batch([capture(page(*rows))]))
    assert found.rejects.column("original").to_pylist() == [text.encode() for text in rows]


def test_a_capture_can_be_refused_whole() -> None:
    one = capture(b"\xff")
    found = reject_whole(capture_batch([one]), "load", "load_refused: no")
    assert found.quotes.num_rows == 0
    assert found.rejects.to_pylist() == [
        {
            "capture_id": str(one.id),
            "path": "",
            "stage": "load",
            "reasons": ["load_refused: no"],
            "original": b"\xff",
        }
    ]
