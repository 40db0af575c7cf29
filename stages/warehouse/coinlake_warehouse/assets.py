"""The map of assets in the warehouse: what the program was given, no more and no less."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from coinlake.assets import Asset
from coinlake_warehouse.connection import connect, explained
from coinlake_warehouse.statements import statement

_EVER, _FOR_EVER = "-infinity", "infinity"


def sync_assets(dsn: str, assets: Sequence[Asset]) -> None:
    """Makes the warehouse's map this one, in one transaction; one that is the same is left alone.

    Raises as `Warehouse.load` does.
    """
    tables = {(each.asset, each.name, each.currency) for each in assets}
    names = {
        (name.source, name.venue_asset, _text(name.since, _EVER), _text(name.until, _FOR_EVER), each.asset)
        for each in assets
        for name in each.names
    }
    with explained(dsn), connect(dsn, "assets") as session, session.transaction():
        stand = [set(session.execute(statement(f"assets/{each}"))) for each in ("assets", "names")]
        if stand == [tables, names]:
            return
        session.execute(statement("assets/clear"))
        with session.cursor() as cursor:
            cursor.executemany(statement("assets/add"), sorted(tables, key=str))
            cursor.executemany(statement("assets/add_name"), sorted(names))


def _text(moment: datetime | None, without: str) -> str:
    """A moment as the server writes it in a session that speaks UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S}+00" if moment else without
