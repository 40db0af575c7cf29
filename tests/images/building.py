"""Builds the images as a person does: by `./pants package`, on the base of build-support/base-image."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from images.docker import Docker
from servers import fetch

VERSION = "0.1.0"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGES = {
    name: f"{name}:{VERSION}"
    for name in ("coinlake", "coinlake-producer", "coinlake-spark", "coinlake-airflow")
}
BASE = "coinlake-base:bookworm"

_BASE_IMAGE = Path("build-support/base-image").absolute()
_COPIED_FILES = ("BUILD", "pants", "pants.toml")
_COPIED_FOLDERS = ("3rdparty", "apps", "build-support", "libs", "ops", "pants-plugins", "stages")
_BUILD_TIMEOUT_S = 900


def load_base(docker: Docker) -> None:
    """Brings the base into the daemon; it is made once a machine."""

    def make(place: Path) -> None:
        command = [str(_BASE_IMAGE), BASE]
        _run(command, {"DOCKER": str(docker.client() / "docker"), "DOCKER_HOST": docker.socket})
        docker("save", f"--output={place}/base.tar", BASE)

    made = fetch.kept("base-image", [_BASE_IMAGE], make)
    docker("load", f"--input={made}/base.tar")


def package(docker: Docker, *targets: str) -> None:
    """Packages what these targets are, as a person does, in a copy of the repository."""
    client = f'["{docker.client()}", "/usr/bin", "/bin"]'
    # First the interpreter beneath a virtual environment: that may have no pip, which fetches Spark.
    programs = f"{sys.base_prefix}/bin{os.pathsep}{os.environ['PATH']}"
    _run(
        ["./pants", "--no-pantsd", "--no-dynamic-ui", "package", *targets],
        {
            "BASE_IMAGE": BASE,
            "COMMIT": COMMIT,
            "DOCKER_HOST": docker.socket,
            "HOST_PATH": programs,
            "PANTS_DOCKER_EXECUTABLE_SEARCH_PATHS": client,
        },
        _copy(docker.folder / "repository"),
    )


def _copy(to: Path) -> Path:
    """Copies what is packaged: where Pants runs the tests, links lie beside it which Pants itself refuses."""
    for folder in _COPIED_FOLDERS:
        shutil.copytree(folder, to / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _COPIED_FILES:
        shutil.copy(file, to)
    return to


def build(docker: Docker, context: Path, stage: str, *arguments: str) -> str:
    """Builds one stage of our Dockerfile by Docker alone; the image's id."""
    given = [f"--build-arg={argument}" for argument in (f"BASE_IMAGE={BASE}", *arguments)]
    command = ["build", "--quiet", "--network=host", f"--target={stage}", *given]
    return docker(*command, f"--file={context}/ops/images/Dockerfile", str(context)).stdout.strip()


def _run(command: list[str], environment: Mapping[str, str], folder: Path | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
