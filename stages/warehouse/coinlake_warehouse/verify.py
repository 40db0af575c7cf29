"""Proof that a warehouse holds what its lake says: rebuilt from refined captures, compared row by row.

What should be there is made in temporary tables by the same statements that load, then both sides are
compared in both directions. All of it reads one snapshot, so loading may go on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias, get_args
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import IsolationLevel, sql

from coinlake.errors import FixConfiguration
from coinlake.model import CANDLE_KEY, INSTRUMENT_KEY, QUOTE_KEY, Decoded, Held
from coinlake_warehouse.connection import Connection, connect, explained, server_name
from coinlake_warehouse.keys import earliest
from coinlake_warehouse.merge import (
    LEVELS,
    merge_candles,
    merge_instruments,
    merge_quotes,
    merge_rejects,
)
from coinlake_warehouse.staging import open_staging, stage_captures, stage_rejects
from coinlake_warehouse.statements import statement

Kind: TypeAlias = Literal["missing", "doubled", "different", "extra"]
"""missing: should be there; doubled: there twice; different: other values; extra: from no capture."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "quotes": QUOTE_KEY,
    "latest_quotes": ("source", "asset", "quote_currency"),
    "candles": ("source", "asset", "quote_currency", "interval", "open_time"),
    "venue_candles": CANDLE_KEY,
    "instruments": INSTRUMENT_KEY,
    "dead_letters": ("capture_id", "path"),
}
_IS_OUTDONE = {"quotes": ">", "venue_candles": "<", "instruments": "<"}
"""How, where several answers have one key, one that stands compares with one that should stand instead:
quotes are outdone by what was received earlier, the others by what was received later."""

_NOT_COMPARED = {"rejected_at", "resolved_at"}


class Refined(NamedTuple):
    """Captures and what refining all of them gave."""

    captures: Sequence[Held]
    decoded: Decoded


@dataclass(frozen=True, slots=True)
class Change:
    """A column whose value is not what it should be; None is null."""

    column: str
    expected: str | None
    found: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not as it should be."""

    table: str
    kind: Kind
    key: Mapping[str, str]
    capture_id: str | None
    """The capture that the row comes from; None for a candle, which comes from many."""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: rows expected and found, how many differ in which way, and some of those."""

    table: str
    expected: int
    """Rows that the compared captures should give."""
    found: int
    """Rows in the table, of whatever captures."""
    missing: int
    doubled: int
    different: int
    extra: int
    examples: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found; `pending` captures lie behind the warehouse's position: not loaded yet."""

    position: int
    captures: int
    pending: int
    tables: tuple[TableReport, ...]

    @property
    def clean(self) -> bool:
        """True where nothing is missing, doubled, different or extra."""
        return not any(t.missing or t.doubled or t.different or t.extra for t in self.tables)


def verify(
    dsn: str, lake_id: UUID, refined: Iterable[Refined], *, whole: bool = True, examples: int = 20
) -> Report:
    """Compares a warehouse with what `refined` says it should hold, without changing it.

    `refined` is all captures of the lake, or with `whole=False` a range of them; then rows of other
    captures are left alone, and so are candles that other captures have a part in. Of each kind of
    difference, each table names at most `examples`. Memory does not grow with the captures; the server
    needs temporary space as large as the rows compared. Raises as `Warehouse.load` does.
    """
    with explained(dsn), connect(dsn, "verify") as session:
        session.execute(statement("verify/session"))
        open_staging(session)
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        with session.transaction():
            position = _position(session, dsn, lake_id)
            captures, pending = _rebuild(session, position, refined)
            session.execute("RESET enable_seqscan")  # from here on, whole tables are read
            if not whole:
                for level in LEVELS:
                    session.execute(statement("verify/origins"), level._asdict())
            tables = tuple(_compare(session, table, whole, examples) for table in _KEYS)
    return Report(position, captures, pending, tables)


def _position(session: Connection, dsn: str, lake_id: UUID) -> int:
    position, loaded_from = session.execute(statement("verify/snapshot")).fetchone() or (0, lake_id)
    if loaded_from != lake_id:
        raise FixConfiguration(
            f"The warehouse {server_name(dsn)} was loaded from lake {loaded_from}, and this is lake "
            f"{lake_id}: they cannot be compared."
        )
    return int(position)


def _rebuild(session: Connection, position: int, refined: Iterable[Refined]) -> tuple[int, int]:
    """Fills the temporary tables; how many captures were compared, and how many are not loaded yet."""
    quarantined = {str(id_) for (id_,) in session.execute(statement("verify/quarantined"))}
    compared = pending = 0
    for captures, decoded in refined:
        loaded = [held for held in captures if held.position <= position]
        compared += len(loaded)
        pending += len(captures) - len(loaded)
        ids = pa.array([str(held.capture.id) for held in loaded], pa.string())
        ids = ids.filter(pc.invert(pc.is_in(ids, pa.array(sorted(quarantined), pa.string()))))
        of_those = Decoded(*(part.filter(pc.is_in(part.column("capture_id"), ids)) for part in decoded))
        stage_captures(session, loaded)
        stage_rejects(session, of_those.rejects)
        session.execute(statement("verify/checked"))
        merge_quotes(session, earliest(of_those.quotes))
        merge_candles(session, of_those.candles)
        merge_instruments(session, of_those.instruments)
        merge_rejects(session, datetime.now(UTC))
        session.execute(statement("verify/empty_staging"))
    return compared, pending


def _compare(session: Connection, table: str, whole: bool, examples: int) -> TableReport:
    named = sql.Identifier(table)
    row = session.execute(statement("verify/counts").format(table=named)).fetchone()
    assert row is not None
    comparison = statement("verify/ranked").format(compared=_compared(table))
    ranked = session.execute(comparison, {"whole": whole, "examples": examples}).fetchall()
    totals = {kind: total for kind, total, *_ in ranked}
    named_rows = tuple(_difference(table, kind, *sides) for kind, _, *sides in ranked)
    expected, found = row
    missing, doubled, different, extra = (totals.get(kind, 0) for kind in get_args(Kind))
    return TableReport(table, expected, found, missing, doubled, different, extra, named_rows)


def _compared(table: str) -> sql.Composable:
    if table not in _IS_OUTDONE:
        return statement(f"verify/{table}")
    return statement("verify/standing").format(
        table=sql.Identifier(table),
        key=sql.SQL(", ").join(map(sql.Identifier, _KEYS[table])),
        is_outdone=sql.SQL(_IS_OUTDONE[table]),
    )


def _difference(table: str, kind: Kind, expected: str | None, found: str | None) -> Difference:
    # Numbers as their digits: nothing is to be rounded on the way to whoever reads the difference.
    wanted, stands = (
        json.loads(side, parse_int=str, parse_float=str) if side else None for side in (expected, found)
    )
    row: dict[str, Any] = wanted or stands or {}
    changes: tuple[Change, ...] = ()
    if wanted and stands:
        changes = tuple(
            Change(column, _shown(wanted[column]), _shown(stands[column]))
            for column in wanted
            if wanted[column] != stands[column] and column not in _NOT_COMPARED
        )
    return Difference(table, kind, {name: row[name] for name in _KEYS[table]}, row.get("capture_id"), changes)


def _shown(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
