"""What the tests of dashboards share: the grammars from npm, and a warehouse of recorded days."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards import node
from dashboards.stocked import Stocked, stock
from servers.fixtures import postgres_server
from servers.postgres import Postgres

__all__ = ["packages", "postgres_server", "stocked"]


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of what npm brought."""
    return node.packages()


@pytest.fixture(scope="session")
def stocked(postgres_server: Postgres) -> Stocked:
    """A warehouse of recorded days."""
    return stock(postgres_server)
