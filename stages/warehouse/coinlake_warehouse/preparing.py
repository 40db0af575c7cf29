"""What every program that loads does first: the warehouse's schema and map of assets are this program's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from coinlake.assets import Asset
from coinlake_warehouse.assets import sync_assets
from coinlake_warehouse.connection import connect, explained
from coinlake_warehouse.schema import is_current
from coinlake_warehouse.statements import statement

log = structlog.get_logger("coinlake.warehouse")


def prepare(dsn: str, assets: Sequence[Asset]) -> None:
    """Brings the schema and the map of assets to what this program has. Errors as in `migrate`."""
    if not is_current(dsn):
        from coinlake_warehouse.migrations import migrate  # takes a second to load, and is rarely needed

        said = migrate(dsn)
        if said:
            log.warning("warehouse.no_roles", reason=said)
    sync_assets(dsn, assets)


def claim(dsn: str, lake_id: UUID) -> None:
    """Makes an empty warehouse that lake's: no other's captures are loaded from then on."""
    with explained(dsn), connect(dsn, "claim") as connection:
        connection.execute(statement("load/first_position"), {"lake_id": lake_id})
