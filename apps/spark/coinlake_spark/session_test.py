"""What keeps a session from opening is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings, SparkSettings
from coinlake_spark.parts import warehouse_dsn
from coinlake_spark.session import spark_options


def test_a_folder_without_jars_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=f"spark.jars: there is no jar in {tmp_path}"):
        spark_options(SparkSettings(jars=tmp_path))


def test_every_jar_of_the_folder_is_named(tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    assert spark_options(SparkSettings(jars=tmp_path))["spark.jars"] == f"{tmp_path}/a.jar,{tmp_path}/b.jar"


def test_spark_shows_no_page() -> None:
    assert spark_options(SparkSettings())["spark.ui.enabled"] == "false"


def test_a_warehouse_of_ones_own_is_asked_for() -> None:
    with pytest.raises(FixConfiguration, match=r"warehouse\.dsn: .* COINLAKE_WAREHOUSE__DSN"):
        warehouse_dsn(Settings())
