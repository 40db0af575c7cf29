"""`kill -9` of PostgreSQL, and of everything at once: the program brings it back, and nothing is lost."""

from __future__ import annotations

import signal

import pytest

from faults.scene import Scene


@pytest.mark.parametrize(
    "step", ["coinlake_batch_refined", "coinlake_batch_staged", "coinlake_batch_committed"]
)
def test_a_server_killed_while_batches_load_is_brought_back_by_the_program(step: str, scene: Scene) -> None:
    running = scene.start_to_kill("server", at=f"{step}:2")
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert "Traceback" not in said
    scene.prove_whole()


@pytest.mark.parametrize("step", ["coinlake_capture_stored", "coinlake_batch_staged"])
def test_after_a_power_cut_all_goes_on_where_it_was(step: str, scene: Scene) -> None:
    for call in (1, 2):
        killed = scene.start_to_kill("both", at=f"{step}:{call}")
        _, said = killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL, said
    scene.finish()
    scene.prove_whole()
