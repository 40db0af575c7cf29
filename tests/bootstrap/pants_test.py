"""What `./pants` says, before it does anything long, on a machine that lacks what it needs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A build root, an empty home and an empty folder of programs."""
    shutil.copytree("build-support", tmp_path / "build-support")
    shutil.copy("pants", tmp_path)
    shutil.copy("pants.toml", tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    return tmp_path


def offer(folder: Path, name: str, version: str, *, lacks: str = "") -> Path:
    """Puts a program there that answers as a Python of that version, without those modules, would."""
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / name
    python.write_text(
        f"""#!{sys.executable}
import sys
sys.version_info = ({version.replace(".", ", ")}, 0)
sys.base_prefix = {str(folder.parent)!r}
sys.modules.update(dict.fromkeys({lacks.split()!r}))
exec(sys.argv[2])
"""
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return python


def pants(machine: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    home = {"HOME": str(machine / "home"), "PATH": str(machine / "bin")}
    bash = shutil.which("bash")
    assert bash is not None
    return subprocess.run(
        [bash, "pants", *(arguments or ("--version",))],
        cwd=machine,
        env={**home, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_machine_without_python_is_told_which_two_it_needs_and_how_to_get_them(machine: Path) -> None:
    refused = pants(machine)
    assert refused.returncode == 1
    assert "  3.9   for Pants, with its venv module   MISSING\n" in refused.stderr
    assert "  3.11  for Coinlake's code and tests     MISSING\n" in refused.stderr
    assert "uv python install 3.9 3.11" in refused.stderr
    assert "pyenv install" in refused.stderr
    assert "apt install" in refused.stderr
    assert "command not found" not in refused.stderr


def test_a_machine_with_one_of_the_pythons_is_told_which_one_is_missing(machine: Path) -> None:
    offer(machine / "bin", "python3.11", "3.11")
    refused = pants(machine)
    assert refused.returncode == 1
    assert "  3.9   for Pants, with its venv module   MISSING\n" in refused.stderr
    assert f"  3.11  for Coinlake's code and tests     {machine}/bin\n" in refused.stderr


def test_a_python_without_venv_does_not_count_for_pants(machine: Path) -> None:
    offer(machine / "bin", "python3.9", "3.9", lacks="ensurepip")
    assert "3.9   for Pants, with its venv module   MISSING" in pants(machine).stderr


def test_a_python_of_another_version_does_not_count_whatever_its_name(machine: Path) -> None:
    offer(machine / "bin", "python3.9", "3.8")
    assert "3.9   for Pants, with its venv module   MISSING" in pants(machine).stderr


@pytest.mark.parametrize(
    "folder", ["home/.pyenv/versions/3.9.18/bin", "home/.local/share/uv/python/cpython-3.9.25-linux/bin"]
)
def test_a_python_that_pyenv_or_uv_installed_is_found_off_the_path(machine: Path, folder: str) -> None:
    offer(machine / folder, "python3.9", "3.9")
    assert f"3.9   for Pants, with its venv module   {machine / folder}\n" in pants(machine).stderr


def test_a_python_elsewhere_can_be_named(machine: Path) -> None:
    python = offer(machine / "elsewhere/bin", "python", "3.9")
    said = pants(machine, PYTHON39=str(python)).stderr
    assert f"3.9   for Pants, with its venv module   {machine}/elsewhere/bin\n" in said


def test_nothing_is_written_before_both_pythons_are_found(machine: Path) -> None:
    pants(machine)
    assert os.listdir(machine / "home") == []


@pytest.mark.parametrize("home", ["", "/home/with a space"])
def test_a_home_that_pants_cannot_use_is_refused(machine: Path, home: str) -> None:
    refused = pants(machine, HOME=home)
    assert refused.returncode == 1
    assert f"HOME is '{home}'; set it to a path without spaces" in refused.stderr


@pytest.fixture
def installed(machine: Path) -> Path:
    """The same with a Pants that only says whether it may run beside another."""
    offer(machine / "python/bin", "python3.11", "3.11")
    configured = tomllib.loads((machine / "pants.toml").read_text(encoding="utf-8"))
    cache = machine / "home/.cache/coinlake-pants"
    pants_bin = (
        cache / f"pants-{configured['GLOBAL']['pants_version']}-/bin"
    )  # no `cksum` on this machine's PATH, so no lock's id
    pants_bin.mkdir(parents=True)
    (pants_bin.parent / "bin311").symlink_to(machine / "python/bin")
    says = pants_bin / "python"
    says.write_text('#!/bin/sh\necho "concurrent: $PANTS_CONCURRENT"\n')
    says.chmod(0o755)
    pex_cli = cache / "pex-cli" / configured["pex-cli"]["version"] / "pex"
    pex_cli.parent.mkdir(parents=True)
    pex_cli.touch()
    return machine


def test_a_program_that_runs_keeps_no_other_call_waiting(installed: Path) -> None:
    assert pants(installed, "run", "apps/cli:coinlake").stdout == "concurrent: true\n"
    assert (
        pants(installed, "--no-pantsd", "run", "apps/cli:coinlake", "--", "demo").stdout
        == "concurrent: true\n"
    )
    assert pants(installed, "run", "a:b", PANTS_CONCURRENT="false").stdout == "concurrent: false\n"


def test_what_is_no_run_shares_the_work_of_the_calls_before(installed: Path) -> None:
    assert pants(installed, "test", "::").stdout == "concurrent: \n"
    assert pants(installed, "repl", "--", "run").stdout == "concurrent: \n"
