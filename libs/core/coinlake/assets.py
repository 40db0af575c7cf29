"""Which asset of which venue is which: the curated map that lets prices of several venues be compared.

Symbols are not unique and change hands, so nothing is matched by symbol: what the map does not name is
nobody's equal. The map that ships is `assets.toml` beside this file; a deployment may name its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from coinlake.errors import FixConfiguration
from coinlake.settings import Table, explain

SHIPPED = Path(__file__).with_name("assets.toml")

_Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True, slots=True)
class AssetName:
    """What a venue calls an asset, in [since, until); None is without an end."""

    source: str
    venue_asset: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset, and its names at the venues."""

    asset: str
    name: str
    currency: str | None
    """Its code where others are quoted in it, such as usdt; None where nothing is."""
    names: tuple[AssetName, ...]


class _Name(Table):
    id: _Text
    seen: _Text
    since: date | None = None
    until: date | None = None


class _Asset(Table):
    model_config = ConfigDict(extra="allow", frozen=True)

    name: _Text
    currency: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$")] | None = None
    __pydantic_extra__: dict[str, list[_Name] | _Name] = Field(init=False)


_assets = TypeAdapter(dict[str, _Asset])


def load(file: Path | None = None) -> tuple[Asset, ...]:
    """The map in `file`, or the one that ships.

    Raises `FixConfiguration` for a file that cannot be read, and where one name of a venue would be two
    assets at one time.
    """
    place = (file or SHIPPED).expanduser()
    try:
        tables: Mapping[str, Any] = tomllib.loads(place.read_text(encoding="utf-8"))
        read = _assets.validate_python(tables)
    except ValidationError as error:
        raise FixConfiguration(explain(error, _Asset, str(place))) from None
    except (OSError, ValueError) as error:
        raise FixConfiguration(f"Cannot read the map of assets {place}: {error}") from None
    assets = tuple(
        Asset(asset, table.name, table.currency, tuple(_names(table))) for asset, table in read.items()
    )
    _refuse_ambiguity(assets, place)
    codes = [asset.currency for asset in assets if asset.currency]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise FixConfiguration(f"{place}: more than one asset has the currency {twice[0]}: leave it to one.")
    return assets


def _names(table: _Asset) -> Iterator[AssetName]:
    for source, given in (table.__pydantic_extra__ or {}).items():
        for name in given if isinstance(given, list) else [given]:
            yield AssetName(source, name.id, _midnight(name.since), _midnight(name.until))


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


def _refuse_ambiguity(assets: tuple[Asset, ...], place: Path) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    taken: dict[tuple[str, str], list[tuple[datetime, datetime, str]]] = {}
    for asset in assets:
        for name in asset.names:
            since, until = name.since or first, name.until or last
            spans = taken.setdefault((name.source, name.venue_asset), [])
            for other_since, other_until, other in spans:
                if since < other_until and other_since < until:
                    raise FixConfiguration(
                        f"{place}: {name.venue_asset} of {name.source} is both {other} and {asset.asset} "
                        "at one time: give them `since` and `until`, or remove one."
                    )
            spans.append((since, until, asset.asset))
