from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from coinlake.assets import AssetName, load
from coinlake.errors import FixConfiguration


def written(folder: Path, text: str) -> Path:
    file = folder / "assets.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_map_names_the_fifty_largest_at_coingecko_and_most_at_another_venue() -> None:
    assets = load()
    venues = [{name.source for name in asset.names} for asset in assets]
    assert len(assets) >= 50
    assert all("coingecko" in each for each in venues)
    assert sum(len(each) >= 2 for each in venues) >= 35


def test_a_currency_is_the_code_of_one_asset() -> None:
    codes = [asset.currency for asset in load() if asset.currency]
    assert {"btc", "usdt", "usdc"} <= set(codes)
    assert len(codes) == len(set(codes))


def test_a_name_that_changed_hands_is_each_asset_in_its_own_time(tmp_path: Path) -> None:
    old, new = load(
        written(
            tmp_path,
            """
            [old]
            name = "Old"
            venue = [
                { id = "X", seen = "here", until = 2022-05-13 },
                { id = "XC", seen = "here" },
            ]

            [new]
            name = "New"
            venue = { id = "X", seen = "here", since = 2022-05-28 }
            """,
        )
    )
    assert old.names == (
        AssetName("venue", "X", None, datetime(2022, 5, 13, tzinfo=UTC)),
        AssetName("venue", "XC"),
    )
    assert new.names == (AssetName("venue", "X", datetime(2022, 5, 28, tzinfo=UTC)),)


def test_one_name_for_two_assets_at_one_time_is_refused_by_name(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        one = { name = "One", venue = { id = "X", seen = "here" } }
        two = { name = "Two", venue = { id = "X", seen = "here", since = 2022-05-28 } }
        """,
    )
    with pytest.raises(FixConfiguration, match="X of venue is both one and two at one time"):
        load(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('a = { venue = { id = "X", seen = "here" } }', r"a\.name: Field required"),
        ('a = { name = "A", venue = { id = "X" } }', r"a\.venue.*seen: Field required"),
        ('a = { name = "A", currency = "USD T" }', r"a\.currency: "),
        (
            'a = { name = "A", currency = "x" }\nb = { name = "B", currency = "x" }',
            "more than one asset has the currency x",
        ),
        ("a = [", "Cannot read the map of assets"),
    ],
)
def test_a_map_that_is_not_one_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FixConfiguration, match=said):
        load(written(tmp_path, text))


def test_a_map_that_is_not_there_is_refused_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"none\.toml"):
        load(tmp_path / "none.toml")
