"""Several programs on one folder, and a program that is asked to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from coinlake_warehouse.connection import LOCK_TIMEOUT_S
from coinlake_warehouse.embedded import EmbeddedServer
from faults.scene import DAYS, DEADLINE_S, LOOK_AGAIN_S, Scene, said_until, wait_until_gone

UP = "The last answers are served again"
SOON_S = LOCK_TIMEOUT_S / 2
"""Sooner than a load gives up waiting for a lock."""

CATCH_UP = """
import sys
from pathlib import Path
from coinlake.settings import Settings
from coinlake_cli.deployment import opened
sys.stdin.readline()
with opened(Settings(folder=Path(sys.argv[1]))) as deployment:
    while True:
        try:
            deployment.pipeline.catch_up()
            break
        except Exception as error:
            # The other program has loaded since: both may lose such a race, and go on from there.
            assert "another program has loaded since" in str(error), error
"""


def test_a_second_runner_is_refused_and_everything_else_works_beside_the_first(scene: Scene) -> None:
    running = scene.start(once=False)
    try:
        said_until(running, UP)
        refused = scene.program(*scene.arguments())
        assert refused.returncode == 3
        assert f"process {running.pid}" in refused.stderr
        assert scene.verified()["captures"] >= DAYS
        status = json.loads(scene.program("--demo", "--json", "status").stdout)
        assert status["feeds"][0]["health"] == "fresh"
        asked = scene.program("--demo", "query", "SELECT count(*) FROM quotes", "--format", "csv")
        assert asked.stdout.splitlines()[1] == str(DAYS * 100)
        assert scene.program("--demo", "replay", "--all").returncode == 0
        assert running.poll() is None
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 0
    assert scene.postmaster() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_asked_to_stop_in_the_middle_stops_whole_and_goes_on_later(
    number: signal.Signals, scene: Scene
) -> None:
    running = scene.start(once=False, seconds=30)
    said = said_until(running, "pipeline.batch_committed")
    postmaster = scene.postmaster()
    assert postmaster is not None
    running.send_signal(number)
    _, rest = running.communicate(timeout=60)
    assert running.returncode == 0, said + rest
    assert "Stopped; everything that was received is stored." in rest
    assert "Traceback" not in said + rest
    wait_until_gone(postmaster)
    assert 0 < len(scene.kept()) < DAYS
    scene.finish()
    scene.prove_whole()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_asked_twice_to_stop_ends_at_once_and_alone_and_goes_on_later(
    number: signal.Signals, scene: Scene
) -> None:
    running = scene.start(once=False)
    said = said_until(running, "The page:")
    postmaster = scene.postmaster()
    assert postmaster is not None
    with loading_held_up(scene):
        running.send_signal(number)
        said += said_until(running, "once more to stop at once")
        running.send_signal(number)
        _, rest = running.communicate(timeout=SOON_S)
    assert running.returncode == 130, said + rest
    assert "Traceback" not in said + rest
    wait_until_gone(postmaster)
    scene.finish()
    scene.prove_whole()


@contextmanager
def loading_held_up(scene: Scene) -> Iterator[None]:
    """Within it, the program waits in the middle of a load, which it must finish to stop cleanly."""
    with EmbeddedServer(scene.place / "warehouse") as server:
        session = psycopg.connect(server.dsn)
    with closing(session):
        session.execute("LOCK TABLE coinlake.quotes")
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        deadline = time.monotonic() + DEADLINE_S
        while session.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < deadline, "nothing is loaded"
            time.sleep(LOOK_AGAIN_S)
        yield


def test_two_programs_that_load_one_lake_at_once_load_it_once(scene: Scene, tmp_path: Path) -> None:
    scene.finish()
    # A new warehouse for the lake that is there, so that both begin at its start.
    (scene.place / "warehouse").rename(tmp_path / "before")
    loaders = [
        subprocess.Popen(
            [sys.executable, "-c", CATCH_UP, str(scene.place)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=scene.program.variables(),
        )
        for _ in range(2)
    ]
    for loader in loaders:
        assert loader.stdin is not None
        loader.stdin.write("go\n")
        loader.stdin.flush()
    for loader in loaders:
        _, said = loader.communicate(timeout=120)
        assert loader.returncode == 0, said
    scene.prove_whole()
