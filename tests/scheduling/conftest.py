"""An Airflow of each test file's own, with a deployment of Coinlake that it schedules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scheduling.scene import Scene
from servers.fixtures import postgres_server
from servers.postgres import Postgres

__all__ = ["postgres_server"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, postgres_server: Postgres) -> Iterator[Scene]:
    """Airflow with its tables, and Coinlake with nothing captured; neither runs."""
    scene = Scene.made(tmp_path_factory.mktemp("scheduling"), postgres_server)
    yield scene
    scene.airflow.close()
