from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from coinlake_cli.page.wording import ago, exact, moment, original_text, percent, short, span, visible

NOON = datetime(2024, 12, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("2.839e-09", "0.000000002839"),
        ("101282.50", "101,282.50"),
        ("1.0", "1.0"),
        ("0", "0"),
        ("-0.5", "-0.5"),
        ("1.98e37", "19,800,000,000,000,000,000,000,000,000,000,000,000"),
        ("0.10000000000000000000000000000000000000001", "0.10000000000000000000000000000000000000001"),
    ],
)
def test_an_exact_amount_has_every_digit_and_no_exponent(digits: str, shown: str) -> None:
    assert exact(Decimal(digits)) == shown


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("2004310878204", "2.004 T"),
        ("74041047719", "74.04 B"),
        ("19795587.0", "19.8 M"),
        ("954000000", "954 M"),
        ("999", "999"),
        ("0.00001234567", "0.00001235"),
        ("0", "0"),
        ("-1500", "-1.5 K"),
        ("1.98e37", "1.980e+37"),
    ],
)
def test_a_short_amount_keeps_its_size(digits: str, shown: str) -> None:
    assert short(Decimal(digits)) == shown


def test_what_the_venue_did_not_give_is_a_dash_and_never_zero() -> None:
    assert [exact(None), short(None), percent(None), moment(None)] == ["–"] * 4


def test_a_change_always_has_a_sign() -> None:
    assert [percent(Decimal(change)) for change in ("5.53778", "-0.1", "0", "17456766.1")] == [
        "+5.54 %",
        "−0.10 %",
        "+0.00 %",
        "+17,456,766.10 %",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.42, "420 ms"),
        (3.21, "3.2 s"),
        (1, "1.0 s"),
        (59, "59 s"),
        (59.9, "1 min"),
        (7800, "2 h 10 min"),
        (86400 * 3 + 3600 * 4, "3 d 4 h"),
        (86400 * 400, "400 d"),
        (-3, "−3.0 s"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_units(seconds: float, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "just now"),
        (-3, "just now"),
        (7, "7 s ago"),
        (47, "40 s ago"),
        (200, "3 min ago"),
        (23.9 * 3600, "23 h ago"),
        (86400 * 2.5, "2 d ago"),
        (-200, "in 3 min"),
    ],
)
def test_an_age_is_told_in_one_unit(seconds: float, said: str) -> None:
    assert ago(NOON - timedelta(seconds=seconds), NOON) == said


def test_what_never_happened_has_no_age() -> None:
    assert ago(None, NOON) == "never"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bitcoin", "Bitcoin"),
        ("  two   words ", "two words"),
        ("\u200b\u2060\ufeff", ""),
        ("\u3164\u2800", ""),
        ("Good\u202eniocdaB", "GoodniocdaB"),
        ("a\x00b\nc", "ab c"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200d", ""),
        (None, ""),
        ("名前 🚀", "名前 🚀"),
    ],
)
def test_a_name_shows_nothing_invisible(name: str | None, shown: str) -> None:
    assert visible(name) == shown


def test_original_bytes_are_text_with_the_invisible_spelled_out() -> None:
    assert original_text('{"a":\t"\u200b\u202e\x00é"}\n'.encode()) == (
        '{"a":\t"⟨U+200B⟩⟨U+202E⟩⟨U+0000⟩é"}\n',
        False,
    )


def test_a_character_cut_off_at_the_end_does_not_turn_text_into_hex() -> None:
    assert original_text("né".encode()[:-1]) == ("n", False)


def test_bytes_that_are_not_utf8_are_hex_with_their_letters_beside() -> None:
    text, is_hex = original_text(b"\xff\x00AB" + b"C" * 14)
    assert is_hex
    first, second = text.splitlines()
    assert first == "00000000  ff 00 41 42 43 43 43 43 43 43 43 43 43 43 43 43  ··ABCCCCCCCCCCCC"
    assert second.split() == ["00000010", "43", "43", "CC"]
