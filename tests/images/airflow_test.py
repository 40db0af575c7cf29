"""Airflow's image: its parts as a container each, that keep the cadence, and go on when one is killed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict

from coinlake.testing.faults import Fault
from images.building import IMAGES
from images.docker import Container
from images.scene import Platform, until
from servers.ports import HOST, Port
from servers.postgres import Postgres

pytestmark = pytest.mark.timeout(900)  # the first test builds the images

# Only captures are tried: a load waits for Spark, which is not here, and a scheduler that ends for the load.
_NO_LOADS = "airflow dags reserialize && airflow dags pause --yes load_warehouse"
_POOLS = "python -m coinlake_airflow.pools >/tmp/pools.json && airflow pools import /tmp/pools.json"


@pytest.fixture
def faults() -> Sequence[Fault]:
    """The second call gets no answer: whoever asks waits for it until he is killed."""
    return (Fault("hang", every=2, times=1),)


@pytest.fixture
def variables(tmp_path: Path, postgres_server: Postgres) -> dict[str, str]:
    """What the parts of Airflow must know of each other, and of a new database."""
    to = conninfo_to_dict(postgres_server.new_database())
    database = f"postgresql+psycopg://{to['user']}:{to['password']}@{to['host']}:{to['port']}/{to['dbname']}"
    port = Port(tmp_path / "api.port").number
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(Port(tmp_path / "logs.port").number),
        "COINLAKE_SOURCES__COINGECKO__EVERY": "30s",
    }


@pytest.fixture
def parts(platform: Platform, variables: dict[str, str]) -> Iterator[dict[str, Container]]:
    """The three parts, on a database and a catalogue that are ready."""
    folder = (f"--volume=coinlake-{uuid4().hex[:8]}:/var/lib/coinlake",)
    environment = platform.settings | variables
    for image, command, entrypoint in (
        ("coinlake", ("catalogue", "-o", "/var/lib/coinlake/catalogue.json"), ()),
        ("coinlake-airflow", ("db", "migrate"), ()),
        ("coinlake-airflow", ("-c", f"{_POOLS} && {_NO_LOADS}"), ("--entrypoint=sh",)),
    ):
        done = platform.docker.once(
            IMAGES[image], *command, options=(*folder, *entrypoint), environment=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with ExitStack() as stack:
        yield {
            part: stack.enter_context(
                platform.container("coinlake-airflow", part, options=folder, **variables)
            )
            for part in ("api-server", "dag-processor", "scheduler")
        }


def test_a_slot_after_the_other_is_captured_though_the_scheduler_is_killed(
    platform: Platform, parts: dict[str, Container]
) -> None:
    until(platform.captured, *parts.values())
    # The worst moment: nobody ends the task that is on its way.
    until(lambda: "capture coingecko" in parts["scheduler"].processes(), *parts.values())
    parts["scheduler"].kill_and_start()
    captures = platform.captured()
    until(lambda: platform.captured() > captures, *parts.values())
    for container in parts.values():
        until(lambda container=container: container.trouble() == "")  # type: ignore[misc]
    # A scheduler that is told to end waits for its tasks: with none on its way it ends at once.
    parts["scheduler"].inside("airflow", "dags", "pause", "--yes", "--treat-dag-id-as-regex", ".*")
    until(lambda: not _tasks(parts["scheduler"]), *parts.values())
    for container in reversed(parts.values()):
        assert container.stop() == 0


def _tasks(scheduler: Container) -> list[str]:
    """The titles of the processes that are at work on a task."""
    titles = scheduler.processes().splitlines()
    return [title for title in titles if "LocalExecutor:" in title and "<idle>" not in title]
