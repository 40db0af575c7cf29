"""Results read well on a terminal, in a pipe and by a program."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from coinlake_cli.output import NOTHING, Output, Table, cell, duration

TABLE = Table(
    "Prices",
    ("asset", "price"),
    [("bitcoin", Decimal("65975")), ("[bold]wörld\u200b", None), ("two\nlines", Decimal("2.839E-9"))],
    frozenset({"price"}),
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, NOTHING),
        (True, "yes"),
        (Decimal("2.839E-9"), "0.000000002839"),
        (Decimal("1.98E+37"), "19800000000000000000000000000000000000"),
        (Decimal("0"), "0"),
        (1234567, "1,234,567"),
        (datetime(2024, 10, 15, 1, 0, 57, 999, tzinfo=UTC), "2024-10-15 01:00:57Z"),
        ("", ""),
    ],
)
def test_a_cell_shows_exact_digits_and_tells_null_from_zero_and_from_an_empty_text(
    value: object, shown: str
) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.25, "0.2s"), (59, "59s"), (245, "4m 5s"), (3600, "1h 0m"), (183_845, "2d 3h"), (-90, "-1m 30s")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, shown: str) -> None:
    assert duration(timedelta(seconds=seconds)) == shown


def test_in_a_pipe_a_table_is_plain_aligned_text_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).show({}, TABLE)
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "asset                  price",
        "bitcoin                65975",
        "[bold]wörld\u200b               –",
        "two lines     0.000000002839",
    ]
    assert "\x1b" not in out


def test_as_json_a_result_is_one_document_with_amounts_as_exact_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    moment = datetime(2024, 10, 15, tzinfo=UTC)
    Output(as_json=True).show({"price": Decimal("1E-30"), "at": moment, "age": timedelta(minutes=1)}, TABLE)
    assert json.loads(capsys.readouterr().out) == {
        "price": "0.000000000000000000000000000001",
        "at": "2024-10-15T00:00:00+00:00",
        "age": 60.0,
    }


def test_on_a_terminal_brackets_in_a_name_are_text_and_not_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    Output(as_json=False).show({}, TABLE)
    assert "[bold]w" in capsys.readouterr().out
