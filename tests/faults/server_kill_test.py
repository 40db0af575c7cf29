"""`kill -9` of program and PostgreSQL at once, as in a power cut: nothing is lost or doubled."""

from __future__ import annotations

import signal

import pytest

from faults.scene import Scene


@pytest.mark.parametrize("step", ["coinlake_capture_stored", "coinlake_batch_staged"])
def test_after_a_power_cut_all_goes_on_where_it_was(step: str, scene: Scene) -> None:
    for call in (1, 2):
        killed = scene.start_to_kill("both", at=f"{step}:{call}")
        _, said = killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL, said
    scene.finish()
    scene.prove_whole()
