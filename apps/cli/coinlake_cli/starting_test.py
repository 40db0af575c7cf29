"""A start that is cut short by Ctrl-C ends without a word, however early that comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from coinlake_cli import __main__

TIMEOUT_S = 60


def test_ctrl_c_while_the_program_imports_its_parts_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("print('importing', flush=True)\nimport time\ntime.sleep(60)\n")
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *map(os.path.abspath, sys.path)])}
    program = subprocess.Popen(
        [sys.executable, "-m", __main__.__name__, "--version"],
        env=os.environ | path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stdout.readline() == "importing\n"
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=TIMEOUT_S)
    assert (program.returncode, said) == (-signal.SIGINT, "")


def test_it_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", __main__.__name__, "--version"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.stdout.startswith("coinlake ")
