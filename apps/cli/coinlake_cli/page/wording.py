"""How the page says things: amounts with every digit, ages, names and bytes that cannot mislead.

What the venue did not give is a dash, never a zero. Names and bytes come from outside: what is invisible
or would turn the text around is taken out of names and spelled out in bytes.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal

NOTHING = "–"
NOTHING_SAYS = "the venue gave no value"

_SCALES = ((12, "T"), (9, "B"), (6, "M"), (3, "K"))
_JOINERS = "\u200c\u200d"
"""Zero-width, but part of how some scripts and emoji are written."""

_UNSEEN = ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode categories that names are shown without: formats and controls, what has no glyph, separators."""

_BLANKS = "\u00a0\u2800\u3164\u115f\u1160"
"""Counted as letters or symbols by Unicode, blank to the eye."""

_HEX_ROW_BYTES = 16


def exact(amount: Decimal | None) -> str:
    """Every digit of an amount, without an exponent, thousands apart: 0.000000002839, 101,282.5."""
    return NOTHING if amount is None else f"{amount:,f}"


def short(amount: Decimal | None) -> str:
    """An amount in four digits or so, for where the exact one is at hand: 2.004 T, 74.04 B, 12,345."""
    if amount is None:
        return NOTHING
    for exponent, unit in _SCALES:
        if abs(amount) >= Decimal(10) ** exponent and amount.adjusted() < 18:
            return f"{_significant(amount.scaleb(-exponent), 4)} {unit}"
    return f"{amount:.3e}" if amount.adjusted() >= 18 else _significant(amount, 4)


def percent(amount: Decimal | None) -> str:
    """A change with its sign, two decimals: +5.54 %, −0.10 %."""
    if amount is None:
        return NOTHING
    return f"{amount:+,.2f} %".replace("-", "−")


def points(basis_points: Decimal | None) -> str:
    """A distance in basis points with its sign: +12.3 bp, −0.4 bp."""
    if basis_points is None:
        return NOTHING
    return f"{basis_points:+,.1f} bp".replace("-", "−")


def count(number: int) -> str:
    """A count, thousands apart."""
    return f"{number:,}"


def several(number: int, one: str, many: str | None = None) -> str:
    """A count and its noun: 1 batch, 2,000 batches."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(length: timedelta) -> str:
    """A length of time in its largest units: 420 ms, 3.2 s, 5 min, 2 h 10 min, 3 d 4 h."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"−{span(-length)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours and days < 10 else f"{days:,} d"


def ago(moment: datetime | None, now: datetime) -> str:
    """How far off something is, in one unit, rounded down: just now, 40 s ago, 23 h ago, in 3 min, never."""
    if moment is None:
        return "never"
    seconds = int(abs((now - moment).total_seconds()))
    if seconds < 5:
        return "just now"
    if seconds < 60:
        # By tens, so that a table of ages does not change with every second.
        said = f"{seconds // 10 * 10 or seconds} s"
    elif seconds < 3600:
        said = f"{seconds // 60} min"
    elif seconds < 48 * 3600:
        said = f"{seconds // 3600} h"
    else:
        said = f"{seconds // 86400:,} d"
    return f"{said} ago" if moment < now else f"in {said}"


def moment(moment: datetime | None) -> str:
    """A moment of UTC to the second: 2024-12-14 01:51:07."""
    return NOTHING if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def visible(name: str | None) -> str:
    """A name without what is invisible or changes the direction of what follows; "" if nothing is left."""
    kept = "".join(
        character
        for character in " ".join((name or "").split())
        if character in _JOINERS
        or unicodedata.category(character) not in ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp")
    ).strip()
    return kept if kept.strip(_JOINERS + _BLANKS) else ""


def original_text(body: bytes) -> tuple[str, bool]:
    """Original bytes as people can read them, and whether that is hex.

    Text where they are UTF-8 (a character cut off at the end is left out), with what is invisible spelled
    out as ⟨U+200B⟩; otherwise hex, 16 bytes a row.
    """
    try:
        text = _utf8(body)
    except UnicodeDecodeError:
        return _hex(body), True
    return "".join(_spelled_out(character) for character in text), False


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            raise
        return body[: error.start].decode()


def _spelled_out(character: str) -> str:
    if character in "\n\t " or unicodedata.category(character)[0] not in "CZ":
        return character
    return f"⟨U+{ord(character):04X}⟩"


def _hex(body: bytes) -> str:
    rows = []
    for start in range(0, len(body), _HEX_ROW_BYTES):
        row = body[start : start + _HEX_ROW_BYTES]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        rows.append(f"{start:08x}  {row.hex(' '):<{_HEX_ROW_BYTES * 3}} {text}")
    return "\n".join(rows)


def _significant(amount: Decimal, digits: int) -> str:
    places = max(0, digits - 1 - amount.adjusted())
    rounded = f"{amount:,.{places}f}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded
