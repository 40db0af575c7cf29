"""Rows of any form, read by a source's function: exact digits, every misfit a reject with its reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlake.decoding import Columns, Fields, Origin, RowReader, by_dataset, originals
from coinlake.model import Capture, Decoded, capture_batch
from coinlake.testing.pages import RECEIVED, capture


def ticker(fields: Fields, origin: Origin) -> Columns:
    return {
        "asset": fields.text("base"),
        "quote_currency": "usd",
        "granularity": "live",
        "price": fields.amount("last", thousands=","),
        "volume_24h": fields.amount("volume", optional=True),
        "as_of": fields.seconds("time"),
    }


NESTED = RowReader("quotes", ticker, under=("result", "rows"))


def row(**members: Any) -> str:
    return json.dumps({"base": "BTC", "last": "65,000.10", "time": 1728993600} | members)


def nested(*rows: str) -> Capture:
    return capture(('{"ok":true,"result":{"rows":[' + ",".join(rows) + '],"cursor":"x"}}').encode())


def read(page: Capture) -> Decoded:
    return NESTED.read(capture_batch([page]))


def test_a_row_is_read_with_its_digits_its_time_and_its_place() -> None:
    found = read(
        nested(row(volume=None), '{"base":"ETH","last":1.50e-7,"volume":0.0,"time":"1728993600.25"}')
    )
    first, second = found.quotes.to_pylist()
    assert (first["price"], first["volume_24h"], first["path"]) == ("65000.10", None, "/result/rows/0")
    assert first["as_of"] == datetime(2024, 10, 15, 12, tzinfo=UTC)
    assert (second["price"], second["volume_24h"]) == ("1.50e-7", "0.0")
    assert second["as_of"] - first["as_of"] == timedelta(seconds=0.25)
    assert second["fetched_at"] == RECEIVED
    assert found.rejects.num_rows == 0


def test_what_no_column_took_is_kept_by_name_with_its_exact_text() -> None:
    found = read(nested('{"base":"A","last":"1","time":1,"deep":{"x":[1.0,2e5]},"n":0.10,"s":"\\u00e9"}'))
    assert found.quotes.column("extra")[0].as_py() == '{"deep":{"x":[1.0,2e5]},"n":0.10,"s":"\\u00e9"}'


@pytest.mark.parametrize(
    ("wrong", "reasons"),
    [
        (row(last="x"), ["not_a_number: last is 'x'"]),
        (row(last="NaN"), ["not_a_number: last is 'NaN'"]),
        (row(last="1e99999"), ["not_a_number: last is '1e99999'"]),
        (row(last={}), ["not_a_number: last is an object"]),
        (row(last=True), ["not_a_number: last is true or false"]),
        (row(base=1), ["not_a_text: base is a number"]),
        (row(time="soon"), ["not_a_time: time is 'soon'"]),
        (row(time=10**15), ["not_a_time: time is '1000000000000000'"]),
        ('{"last":[],"time":1}', ["missing_key: base", "not_a_number: last is an array"]),
        ('{"base":"A","base":"B","last":1,"time":1}', ["duplicate_key: 'base'"]),
        ('{"base":"A","last":NaN,"time":1}', ["not_json: the row holds NaN, Infinity or half a character"]),
        ("7", ["not_an_object: the row is a number"]),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_every_reason_and_its_neighbours_go_on(
    wrong: str, reasons: list[str]
) -> None:
    page = nested(row(), wrong, row(base="ETH"))
    found = read(page)
    assert found.quotes.column("asset").to_pylist() == ["BTC", "ETH"]
    (refused,) = found.rejects.to_pylist()
    assert refused["reasons"][: len(reasons)] == reasons
    assert refused["original"] == wrong.encode()
    assert originals(page.body, {refused["path"]}) == {refused["path"]: wrong.encode()}


def test_a_defect_of_the_function_costs_the_row_it_fell_over() -> None:
    def divides(fields: Fields, origin: Origin) -> Columns:
        if fields.text("base") == "ETH":
            raise ZeroDivisionError("no\0ETH")
        return ticker(fields, origin)

    page = capture(f"[{row()},{row(base='ETH')}]".encode())
    found = RowReader("quotes", divides).read(capture_batch([page]))
    assert found.quotes.num_rows == 1
    assert found.rejects.column("reasons").to_pylist() == [[r"decode_failed: ZeroDivisionError: 'no\x00ETH'"]]


def test_a_column_that_the_table_does_not_have_is_a_defect_told_by_name() -> None:
    reader = RowReader("quotes", lambda fields, origin: {"prize": "1"})
    with pytest.raises(TypeError, match="quotes have no column prize"):
        reader.read(capture_batch([capture(b"[{}]")]))


def test_rows_may_be_arrays_whose_elements_get_names() -> None:
    def candle(fields: Fields, origin: Origin) -> Columns:
        fields.into_extra(6, "bids")
        return {
            "asset": "BTC",
            "quote_currency": "usd",
            "interval": "1m",
            "open_time": fields.milliseconds(0),
            **{name: fields.amount(place) for place, name in enumerate(("open", "high", "low", "close"), 1)},
        }

    page = capture(b'[[1728993600000,"1.0","2.0","0.5","1.50",{},"7.00"]]')
    (row,) = RowReader("candles", candle).read(capture_batch([page])).candles.to_pylist()
    assert (row["close"], row["volume"], row["extra"]) == ("1.50", None, '{"5":{},"bids":"7.00"}')


def test_rows_may_be_members_of_an_object_and_know_their_key() -> None:
    reader = RowReader(
        "instruments",
        lambda fields, origin: {"instrument": fields.key, "asset": fields.text("base")},
        under=("result",),
        each="member",
    )
    page = capture(b'{"result":{"A/B":{"base":"A"},"C":{"base":"C"},"D":3}}')
    found = reader.read(capture_batch([page]))
    assert found.instruments.column("instrument").to_pylist() == ["A/B", "C"]
    assert found.instruments.column("path").to_pylist() == ["/result/A~1B", "/result/C"]
    assert found.rejects.column("path").to_pylist() == ["/result/D"]


def test_a_row_may_be_the_whole_body() -> None:
    reader = RowReader("quotes", ticker, each="whole")
    assert reader.read(capture_batch([capture(f" {row()}\n".encode())])).quotes.num_rows == 1
    for body in (b"", b"<html>", f"{row()} {row()}".encode(), b"[]x"):
        found = reader.read(capture_batch([capture(body)]))
        assert (found.quotes.num_rows, found.rejects.column("original").to_pylist()) == (0, [body])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"result":{}}', "no_rows: the body has no /result/rows"),
        (b'{"result":{"rows":{}}}', "not_an_array: in its place stands '{}}}'"),
        (b'{"error":"down"}', "no_rows: the body has no /result/rows"),
        (b"<html>", "no_rows: the body has no /result/rows"),
    ],
)
def test_a_body_without_its_rows_is_refused_whole(body: bytes, reason: str) -> None:
    (refused,) = read(capture(body)).rejects.to_pylist()
    assert (refused["path"], refused["reasons"], refused["original"]) == ("", [reason], body)


def test_of_a_cut_page_only_the_cut_row_is_lost() -> None:
    whole = nested(row(), row(base="ETH")).body
    cut = whole[: whole.index(b"ETH")]
    found = read(capture(cut))
    assert found.quotes.column("asset").to_pylist() == ["BTC"]
    assert found.rejects.column("reasons").to_pylist() == [["truncated: the body ends within its rows"]]


def test_a_row_that_is_no_fact_yet_is_left_out_without_a_reject() -> None:
    reader = RowReader("candles", lambda fields, origin: None)
    found = reader.read(capture_batch([capture(b"[{},{}]")]))
    assert (found.candles.num_rows, found.rejects.num_rows) == (0, 0)


def test_each_dataset_goes_to_its_decoder_and_an_unknown_one_is_told() -> None:
    captures = capture_batch([nested(row())])
    dataset = captures.column("dataset")[0].as_py()
    assert by_dataset(captures, {dataset: NESTED.read, "others": NESTED.read}).quotes.num_rows == 1
    with pytest.raises(LookupError, match=dataset):
        by_dataset(captures, {"others": NESTED.read})


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise_and_what_is_refused_keeps_its_bytes(body: bytes) -> None:
    for each in ("element", "member", "whole"):
        for under in ((), ("result",)):
            found = RowReader("quotes", ticker, under=under, each=each).read(capture_batch([capture(body)]))
            assert found.quotes.num_rows == 0
            assert all(original in body for original in found.rejects.column("original").to_pylist())


@settings(deadline=None)
@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False), max_size=5))
def test_any_digits_come_out_as_they_stood(prices: list[Any]) -> None:
    texts = [format(price, "f") for price in prices]
    found = read(nested(*(row(last=text) for text in texts)))
    assert found.quotes.column("price").to_pylist() == texts


@settings(deadline=None)
@given(st.lists(st.sampled_from(["null", '""', '"usd"', '"\u00e9"', "7"]), max_size=5))
def test_a_row_never_lacks_a_column_that_its_table_has_always(currencies: list[str]) -> None:
    def priced(fields: Fields, origin: Origin) -> Columns:
        return {"asset": "A", "granularity": "live", "quote_currency": fields.text("in")}

    rows = [f'{{"in":{each}}}' for each in currencies]
    page = capture(f"[{','.join(rows)}]".encode())
    found = RowReader("quotes", priced).read(capture_batch([page]))
    found.quotes.validate(full=True)
    texts = [json.loads(each) for each in currencies]
    assert found.quotes.column("quote_currency").to_pylist() == [each for each in texts if type(each) is str]
    assert found.rejects.column("reasons").to_pylist() == [
        ["no_quote_currency: quote_currency is null"] if each is None else ["not_a_text: in is a number"]
        for each in texts
        if type(each) is not str
    ]


def test_a_value_that_was_only_looked_at_is_kept_in_extra() -> None:
    looked: list[Any] = []

    def look(fields: Fields, origin: Origin) -> Columns:
        looked.extend(fields.look(key) for key in ("fee", "steps", "absent"))
        return ticker(fields, origin)

    page = capture(
        b'[{"base":"A","last":"1","time":1,"volume":"2","fee":0.10,"steps":[{"size":"0.010"},2.50]}]'
    )
    found = RowReader("quotes", look).read(capture_batch([page]))
    assert looked == ["0.10", [{"size": "0.010"}, "2.50"], None]
    extra = found.quotes.column("extra")[0].as_py()
    assert extra == '{"fee":0.10,"steps":[{"size":"0.010"},2.50]}'
