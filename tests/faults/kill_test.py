"""`kill -9` of the program, at every step of the pipeline and at any time: nothing is lost or doubled."""

from __future__ import annotations

import random
import signal
import subprocess

import pytest

from faults.scene import Scene, kill

STEPS = (
    "coinlake_capture_fetched",
    "coinlake_capture_stored",
    "coinlake_batch_refined",
    "coinlake_batch_staged",
    "coinlake_batch_committed",
)
RANDOM_SEED = 20241015
RANDOM_KILLS = 5
LONGEST_RUN_S = 5
"""About how long a first replay takes on two cores."""


@pytest.mark.parametrize("step", STEPS)
def test_a_program_killed_at_a_step_goes_on_where_it_was(step: str, scene: Scene) -> None:
    for call in (1, 2):
        killed = scene.start_to_kill("program", at=f"{step}:{call}")
        _, said = killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL, said
        assert len(scene.kept()) >= call - (step == "coinlake_capture_fetched")
    scene.finish()
    scene.prove_whole()


def test_a_program_killed_at_any_time_goes_on_where_it_was(scene: Scene) -> None:
    moments = random.Random(RANDOM_SEED)
    for _ in range(RANDOM_KILLS):
        after_s = moments.uniform(0, LONGEST_RUN_S)
        print(f"seed {RANDOM_SEED}: killed after {after_s:.3f} s")
        running = scene.start()
        try:
            running.wait(after_s)
        except subprocess.TimeoutExpired:
            kill(running)
        else:
            running.communicate()
            assert running.returncode == 0
    scene.finish()
    scene.prove_whole()
