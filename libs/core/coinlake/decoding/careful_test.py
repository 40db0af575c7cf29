"""One bad row costs itself, tells every reason, keeps its bytes, and never its neighbours."""

from __future__ import annotations

from typing import Any

import pytest

from coinlake.decoding import originals
from coinlake.testing.pages import decoded, page, row

GOOD = (row("first"), row("last"))


def between(bad: str | bytes) -> tuple[bytes, list[str], dict[str, Any]]:
    """A page with a bad row between good ones: its bytes, the assets that load, and the one reject."""
    first, last = (good.encode() for good in GOOD)
    middle = bad.encode() if isinstance(bad, str) else bad
    body = b"[" + b",".join((first, middle, last)) + b"]"
    found = decoded(body)
    (reject,) = found.rejects.to_pylist()
    assert reject["original"] == middle == originals(body, ["/1"])["/1"]
    return body, found.quotes.column("asset").to_pylist(), reject


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row().replace('"id":"bitcoin",', ""), "missing_key: id"),
        (row().replace('"price":65975.10,', ""), "missing_key: price"),
        (row(more=',"price":1'), "duplicate_key: 'price'"),
        (row(price="NaN"), "not_a_number: price is NaN"),
        (row(price="-Infinity"), "not_a_number: price is -Infinity"),
        (row(price='"65975"'), "not_a_number: price is a text"),
        (row(price="true"), "not_a_number: price is true or false"),
        (row(price="[1]"), "not_a_number: price is an array"),
        (row(cap="{}"), "not_a_number: cap is an object"),
        (row(id="7"), "not_a_text: id is a number"),
        (row(at="1728993540"), "not_a_text: at is a number"),
        (row(at='"yesterday"'), "not_a_time: at is 'yesterday'"),
        (row(at='"2024-10-15T11:59:00"'), "not_a_time"),
        (row(at='"2024-02-30T11:59:00Z"'), "not_a_time"),
        (row(at='"2024-10-15T11:59:00.1234567Z"'), "not_a_time"),
        (row(more=',"a":1,"a":2'), "duplicate_key: 'a'"),
        (row(more=r',"\u0000":1,"\u0000":2'), r"duplicate_key: '\x00'"),
        (row(note="NaN"), "not_json: the row holds"),
        (row(price="1."), "not_json: unexpected text at character"),
        (row(price=".5"), "not_json"),
        (row(price="+1"), "not_json"),
        (row(price="007"), "not_json"),
        (row(price="0x1F"), "not_json"),
        (row(price="nan"), "not_json"),
        (row(name="'single'"), "not_json"),
        (row(name='"a\tb"'), "not_json"),
        (row(name=r'"\x41"'), "not_json"),
        (row(more=","), "not_json"),
        (row(note="[1,]"), "not_json"),
        ("None", "not_json"),
        (row(name=r'"\ud800"'), "not_json: the row holds"),
        (row(note=r'"\udfff"'), "not_json: the row holds"),
        ("17", "not_an_object: the row is a number"),
        ("null", "not_an_object: the row is null"),
        ("[]", "not_an_object: the row is an array"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected_with_its_bytes_and_its_neighbours_load(
    bad: str, reason: str
) -> None:
    _, assets, reject = between(bad)
    assert assets == ["first", "last"]
    assert reject["path"] == "/1"
    assert reject["stage"] == "decode"
    assert any(said.startswith(reason) for said in reject["reasons"]), reject["reasons"]


def test_bytes_that_are_not_utf8_cost_only_their_row_and_are_kept_exactly() -> None:
    bad = row(name='"?"').encode().replace(b"?", b"\xff\xfe")
    _, assets, reject = between(bad)
    assert assets == ["first", "last"]
    assert reject["reasons"][0].startswith("not_utf8")


def test_every_reason_of_a_row_is_told() -> None:
    _, _, reject = between(row(price='"x"', at='"y"', more=',"cap":1').replace('"id":"bitcoin",', ""))
    rules = [reason.split(":")[0] for reason in reject["reasons"]]
    assert sorted(rules) == ["duplicate_key", "missing_key", "not_a_number", "not_a_time"]


def test_a_cut_page_loads_its_whole_rows_and_rejects_the_rest() -> None:
    whole = page(*GOOD, row("third"))
    for end in range(len(page(*GOOD)), len(whole) - 1):
        found = decoded(whole[:end])
        (reject,) = found.rejects.to_pylist()
        assert reject["reasons"][0].startswith(("truncated", "not_json"))
        assert found.quotes.column("asset").to_pylist()[:2] == ["first", "last"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_an_array: the body is empty"),
        (b"  \n", "not_an_array: the body is empty"),
        (b"<html><body>Down for maintenance", "not_an_array: the body looks like HTML"),
        (b'{"error":"Internal Server Error"}', "not_an_array: the body starts with"),
        (b"\xef\xbb\xbf[]", "not_an_array: the body starts with"),
        ("[]".encode("utf-16"), "not_an_array: the body starts with"),
        (b"\xff\xff\xff", "not_an_array: the body starts with"),
    ],
)
def test_a_body_that_is_no_array_is_rejected_whole(body: bytes, reason: str) -> None:
    found = decoded(body)
    assert found.quotes.num_rows == 0
    (reject,) = found.rejects.to_pylist()
    assert reject["path"] == ""
    assert reject["original"] == body
    assert reject["reasons"][0].startswith(reason)


@pytest.mark.parametrize("body", [b"[]", b" [ ] \n"])
def test_an_empty_page_is_neither_quotes_nor_rejects(body: bytes) -> None:
    found = decoded(body)
    assert (found.quotes.num_rows, found.rejects.num_rows) == (0, 0)


@pytest.mark.parametrize(
    ("body", "assets", "reasons"),
    [
        ("[,]", [], ["not_json: a comma without a row"] * 2),
        ("[A,]", ["a"], ["not_json: a comma without a row"]),
        ("[A,,B]", ["a", "b"], ["not_json: a comma without a row"]),
        ("[A]]", ["a"], ["not_json: something stands behind the array"]),
        ("[A]<html>", ["a"], ["not_json: something stands behind the array"]),
        ("[A][B]", ["a"], ["not_json: something stands behind the array"]),
        ("[A A,B]", ["a", "b"], ["not_json: something stands behind the row"]),
        ("[A\x0b,B]", ["a", "b"], ["not_json: something stands behind the row"]),
        ("[A}, B]", ["a", "b"], ["not_json: something stands behind the row"]),
        ("[", [], ["truncated: the body ends within its rows"]),
        ("[A", ["a"], ["truncated: the body ends within its rows"]),
        ("[A,", ["a"], ["truncated: the body ends within its rows"]),
        ("[A B", ["a"], ["truncated: the body ends within its rows"]),
        ('[A,{"id":"b', ["a"], ["truncated: the body ends within its rows"]),
    ],
)
def test_what_is_wrong_between_rows_costs_no_row(body: str, assets: list[str], reasons: list[str]) -> None:
    found = decoded(body.replace("A", row("a")).replace("B", row("b")).encode())
    assert found.quotes.column("asset").to_pylist() == assets
    assert found.rejects.column("reasons").to_pylist() == [[reason] for reason in reasons]


def test_nesting_of_50_levels_is_kept_verbatim() -> None:
    deep = '{"a": [' * 25 + "1.50" + "]}" * 25
    found = decoded(page(*GOOD, row("deep", more=f',"new":{deep}')))
    assert found.rejects.num_rows == 0
    assert f'"new":{deep}' in found.quotes.column("extra")[2].as_py()


@pytest.mark.parametrize("deep", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_absurd_nesting_costs_only_its_row(deep: str) -> None:
    _, assets, reject = between(row("absurd", note=deep))
    assert assets == ["first", "last"]
    assert reject["reasons"] == ["too_deep: nested too deeply to read"]


def test_a_page_of_absurd_nesting_alone_is_a_reject() -> None:
    found = decoded(b"[" * 100_000)
    assert found.rejects.column("reasons").to_pylist() == [["too_deep: nested too deeply to read"]]


def test_what_no_column_holds_is_kept_verbatim_whatever_is_in_it() -> None:
    twice = '{"times":1,"times":2.50}'
    assert f'"roi":{twice}' in decoded(page(row(roi=twice))).quotes.column("extra")[0].as_py()


def test_an_unknown_key_is_kept_by_its_name_with_its_digits() -> None:
    found = decoded(page(row(more=',"new_key":1.10e+2')))
    assert found.quotes.column("extra")[0].as_py() == '{"note":null,"roi":{"times":1.50},"new_key":1.10e+2}'


def test_a_key_that_is_gone_is_null_unless_the_row_means_nothing_without_it() -> None:
    found = decoded(page(row().replace('"cap":1304235911646,', "").replace(',"note":null', "")))
    assert found.rejects.num_rows == 0
    assert found.quotes.column("market_cap")[0].as_py() is None
    assert found.quotes.column("extra")[0].as_py() == '{"roi":{"times":1.50}}'


def test_a_number_of_400_digits_is_read_to_its_last_digit() -> None:
    digits = "9" * 400
    assert decoded(page(row(price=digits))).quotes.column("price")[0].as_py() == digits
