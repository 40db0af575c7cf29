"""A folder holds one kind of data, and one program polls into it."""

from __future__ import annotations

import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from coinlake.errors import FixConfiguration
from coinlake_cli import folder


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder.claim(tmp_path / "new", "live")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@pytest.mark.parametrize(("first", "then"), [("live", "demo"), ("demo", "live")])
def test_a_demo_and_live_data_never_share_a_folder(
    tmp_path: Path, first: folder.Kind, then: folder.Kind
) -> None:
    folder.claim(tmp_path, first)
    with pytest.raises(FixConfiguration, match="must not mix"):
        folder.claim(tmp_path, then)
    folder.claim(tmp_path, first)
    assert folder.kind_of(tmp_path) == first


def test_a_lake_without_its_mark_is_not_taken_for_either_kind(tmp_path: Path) -> None:
    (tmp_path / "lake.db").write_bytes(b"")
    with pytest.raises(FixConfiguration, match="not whole"):
        folder.claim(tmp_path, "demo")


@pytest.mark.parametrize("text", ["", "dem", "live demo"])
def test_a_mark_that_says_neither_kind_is_refused_whatever_is_asked(tmp_path: Path, text: str) -> None:
    (tmp_path / "kind").write_text(text)
    for look in (folder.kind_of, partial(folder.claim, kind="live"), partial(folder.claim, kind="demo")):
        with pytest.raises(FixConfiguration, match="not whole"):
            look(tmp_path)


def test_looking_at_a_folder_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"no deployment in the folder .*/mistyped: `coinlake run`"):
        folder.kind_of(tmp_path / "mistyped")
    assert folder.mark_of(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_path_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FixConfiguration, match="--folder"):
        folder.claim(tmp_path / "file", "live")


def test_a_second_runner_is_refused_and_told_the_firsts_process(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from coinlake_cli import folder\n"
        "with folder.only_runner(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert first.stdin
    assert first.stdout
    try:
        assert first.stdout.readline() == "in\n"
        with pytest.raises(FixConfiguration, match=f"process {first.pid}"), folder.only_runner(tmp_path):
            pass
    finally:
        first.kill()
        first.wait()
        first.stdin.close()
        first.stdout.close()
    with folder.only_runner(tmp_path):
        pass  # a killed runner leaves no lock behind
