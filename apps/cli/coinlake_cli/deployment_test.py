"""What is wrong with the settings is told before anything is made of the folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coinlake.errors import CoinlakeError
from coinlake.settings import load
from coinlake_cli.commands.run import run

_DISTRIBUTED = {"profile": "distributed", "lake": {"url": "mongodb://127.0.0.1:9/x"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sources": {"coingecko": {"topp": 5}}}, "did you mean 'top'"),
        ({"refine": {"steps": ("validat",)}}, "did you mean 'validate'"),
        ({"assets": Path("nowhere.toml")}, "nowhere.toml"),
        ({"warehouse": {"dsn": "postgresql://127.0.0.1:9/x"}}, "127.0.0.1:9/x cannot be used"),
        ({"profile": "distributed"}, "set lake.url"),
        (_DISTRIBUTED, "set warehouse.dsn"),
        (
            _DISTRIBUTED | {"lake": {"url": "no place"}, "warehouse": {"dsn": "x"}},
            "lake.url is no connection",
        ),
    ],
)
def test_run_with_a_wrong_setting_leaves_no_folder_behind(
    tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    settings = load(folder=tmp_path / "new", **wrong)
    with pytest.raises(CoinlakeError, match=said):
        run(settings, port=0)
    assert not (tmp_path / "new").exists()
