"""Rows that cannot be true become rejects, each with every rule that it breaks.

The bounds are wide on purpose: a strange value a venue really sent (a price twice its neighbour's, a
rank with a gap, a change of 17,456 %) is a fact to keep, and judging it is the reader's work. What is
refused could not be stored, or could not be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from coinlake.model import AMOUNTS, CANDLE_AMOUNTS, CANDLE_WIDTHS, Decoded

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far a venue's clock may be ahead of ours."""
FIRST_MOMENT = datetime(2009, 1, 3, tzinfo=UTC)
"""The day of Bitcoin's first block: nothing was quoted before."""
MAX_DIGITS_BEFORE_POINT = 39
"""10**39 of anything is not an amount. The largest seen in the wild: a supply of 4.2e17."""
MAX_DIGITS_BEHIND_POINT = 100
MAX_TEXT = 500
"""Characters of an id, symbol or name; PostgreSQL's index entries end at 2,704 bytes."""
MAX_RANK = 2**31 - 1

SIGNED = frozenset(name for name in AMOUNTS if "change" in name)
"""Amounts that may be negative."""

_SHORT = 24
"""A text of so many bytes without an exponent is within both bounds of digits."""

# Arrow compares with a scalar of the very type many times faster than with one that it must fit first.
_SHORT_BYTES = pa.scalar(_SHORT, pa.int32())
_TEXT_BOUND = pa.scalar(MAX_TEXT, pa.int32())
_FIRST_MOMENT = pa.scalar(FIRST_MOMENT, pa.timestamp("us", "UTC"))
_TOLERANCE = pa.scalar(CLOCK_TOLERANCE, pa.duration("us"))


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` gives the numbers of the rows that break it; `column` is what the reason names."""

    name: str
    column: str
    broken: Callable[[pa.Array, pa.RecordBatch], Iterable[int]]


def validate(decoded: Decoded) -> Decoded:
    """Moves each row that breaks a rule to the rejects. Pure; order does not matter."""
    for table, rules in RULES.items():
        decoded = _validated(decoded, table, rules)
    return decoded


def _validated(decoded: Decoded, table: str, rules: Sequence[Rule]) -> Decoded:
    rows: pa.RecordBatch = getattr(decoded, table)
    if not rows.num_rows:
        return decoded
    broken: dict[int, list[str]] = {}
    for rule in rules:
        values = rows.column(rule.column)
        for row in rule.broken(values, rows):
            broken.setdefault(row, []).append(f"{rule.name}: {rule.column} is {_shown(values[row].as_py())}")
    if not broken:
        return decoded
    rejects = [
        {
            "capture_id": rows.column("capture_id")[row].as_py(),
            "path": rows.column("path")[row].as_py(),
            "stage": "validate",
            "reasons": reasons,
            "original": None,
        }
        for row, reasons in sorted(broken.items())
    ]
    kept = pa.array([row not in broken for row in range(rows.num_rows)], pa.bool_())
    return decoded._replace(**{table: rows.filter(kept)}).rejecting(rejects)


def _of_quotes() -> Iterator[Rule]:
    yield from _of_names("asset", "symbol", "name")
    yield from _of_names("quote_currency")
    yield from _of_moment("as_of")
    for amount in AMOUNTS:
        yield from _of_amount(amount, signed=amount in SIGNED)
    yield Rule("not_a_rank", "rank", lambda rank, _: _of_few(_is_unusual_rank(rank), rank, _is_no_rank))


def _of_candles() -> Iterator[Rule]:
    yield from _of_names("asset")
    yield from _of_names("quote_currency")
    yield Rule("unknown_interval", "interval", lambda interval, _: _where(_is_no_interval(interval)))
    yield from _of_moment("open_time")
    yield Rule("between_buckets", "open_time", _where_between_buckets)
    yield Rule("open_candle", "open_time", _where_still_open)
    for price in ("open", "high", "low", "close"):
        yield Rule("no_price", price, lambda digits, _: _where(pc.is_null(digits)))
    for amount in (*CANDLE_AMOUNTS, "trades"):
        yield from _of_amount(amount)
    yield Rule("high_below_low", "high", _where_outside)


def _of_instruments() -> Iterator[Rule]:
    yield from _of_names("instrument", "asset", "quote_currency")
    for step in ("price_step", "amount_step"):
        yield from _of_amount(step)


def _of_names(key: str, *others: str) -> Iterator[Rule]:
    yield Rule(f"no_{key}", key, lambda name, _: _where(_is_blank(name)))
    for text in (key, *others):
        yield Rule("long_text", text, lambda value, _: _where(pc.greater(pc.utf8_length(value), _TEXT_BOUND)))
        yield Rule("nul_character", text, lambda value, _: _where(pc.match_substring(value, "\0")))


def _of_moment(column: str) -> Iterator[Rule]:
    yield Rule("no_time", column, lambda moment, _: _where(pc.is_null(moment)))
    yield Rule("before_bitcoin", column, lambda moment, _: _where(pc.less(moment, _FIRST_MOMENT)))
    yield Rule("future_time", column, lambda moment, rows: _where(_is_in_the_future(moment, rows)))


def _of_amount(amount: str, *, signed: bool = False) -> Iterator[Rule]:
    if not signed:
        yield Rule("negative", amount, lambda digits, _: _of_few(_has_minus(digits), digits, _is_negative))
    yield Rule("implausible", amount, lambda digits, _: _of_few(_is_odd(digits), digits, _is_implausible))


def _where(mask: pa.Array) -> list[int]:
    """The rows where a mask is true; null is not."""
    return pc.indices_nonzero(mask).to_pylist()  # type: ignore[no-any-return]


def _of_few(suspects: pa.Array, values: pa.Array, check: Callable[[str], bool]) -> list[int]:
    """A check in Python of just the suspect values, so that the ordinary page costs next to nothing."""
    texts = values.filter(suspects).to_pylist()
    return [row for row, text in zip(_where(suspects), texts, strict=True) if check(text)]


def _is_blank(asset: pa.Array) -> pa.Array:
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(asset), ""), True)


def _is_in_the_future(moment: pa.Array, rows: pa.RecordBatch) -> pa.Array:
    return pc.greater(moment, pc.add(rows.column("fetched_at"), _TOLERANCE))


def _is_no_interval(interval: pa.Array) -> pa.Array:
    return pc.invert(pc.is_in(interval, pa.array(CANDLE_WIDTHS)))


def _where_between_buckets(open_time: pa.Array, candles: pa.RecordBatch) -> Iterator[int]:
    """Candles that do not begin where a bucket does, counted from UTC midnight."""
    for row, (moment, width) in enumerate(_opened(open_time, candles)):
        if moment and width and (moment - FIRST_MOMENT) % width:
            yield row


def _where_still_open(open_time: pa.Array, candles: pa.RecordBatch) -> Iterator[int]:
    """Candles that were received before they were over: no fact yet."""
    received = candles.column("fetched_at").to_pylist()
    for row, (moment, width) in enumerate(_opened(open_time, candles)):
        if moment and width and moment + width > received[row] + CLOCK_TOLERANCE:
            yield row


def _opened(
    open_time: pa.Array, candles: pa.RecordBatch
) -> Iterator[tuple[datetime | None, timedelta | None]]:
    for moment, interval in zip(open_time.to_pylist(), candles.column("interval").to_pylist(), strict=True):
        yield moment, CANDLE_WIDTHS.get(interval)


def _where_outside(high: pa.Array, candles: pa.RecordBatch) -> Iterator[int]:
    """Candles whose high or low is not the highest or lowest of their four prices."""
    prices = zip(
        *(candles.column(name).to_pylist() for name in ("open", "high", "low", "close")), strict=True
    )
    for row, texts in enumerate(prices):
        if None in texts or any(map(_is_implausible, texts)):
            continue  # other rules say so
        opened, highest, lowest, closed = map(Decimal, texts)
        if not lowest <= min(opened, closed) <= max(opened, closed) <= highest:
            yield row


def _has_minus(digits: pa.Array) -> pa.Array:
    return pc.starts_with(digits, "-")


def _is_odd(digits: pa.Array) -> pa.Array:
    """Long, or with an exponent: whatever else is within both bounds of digits."""
    odd = pc.greater(pc.binary_length(digits), _SHORT_BYTES)
    texts = digits.buffers()[2]  # of this column and perhaps others: one look spares most columns a search
    for letter in (b"e", b"E"):
        if texts and letter in texts.to_pybytes():
            odd = pc.or_(odd, pc.match_substring(digits, letter.decode()))
    return odd


def _is_unusual_rank(rank: pa.Array) -> pa.Array:
    return pc.invert(pc.match_substring_regex(rank, "^[1-9][0-9]{0,8}$"))


def _is_negative(digits: str) -> bool:
    """Below zero; "-0" and "-0.0" are zero."""
    try:
        return Decimal(digits) < 0
    except InvalidOperation:
        return True


def _is_implausible(digits: str) -> bool:
    try:
        number = Decimal(digits)
    except InvalidOperation:  # an exponent beyond what Decimal itself can hold
        return True
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -MAX_DIGITS_BEHIND_POINT:
        return True
    return number.adjusted() >= MAX_DIGITS_BEFORE_POINT  # of zeros too: no database reads 0e9999999999


def _is_no_rank(digits: str) -> bool:
    return not (
        digits.isascii() and digits.isdigit() and 0 < int(digits[:11]) <= MAX_RANK and len(digits) < 11
    )


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value) if len(value) <= 60 else f"{value[:60]!r}… ({len(value)} characters)"


RULES: Mapping[str, tuple[Rule, ...]] = {
    "quotes": tuple(_of_quotes()),
    "candles": tuple(_of_candles()),
    "instruments": tuple(_of_instruments()),
}
"""Every rule by table, in the order in which reasons are told."""
