"""The scene of chaos, with servers of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.scene import Scene
from servers.fixtures import Spark, kafka_program, mongod_program, postgres_server, spark_home

__all__ = ["kafka_program", "mongod_program", "postgres_server", "spark_home"]


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory, mongod_program: Path, spark_home: Spark
) -> Iterator[Scene]:
    """All parts at work; their tests leave them so."""
    with Scene.running(tmp_path_factory.mktemp("scene"), spark_home) as scene:
        yield scene
