"""The compose files as Docker Compose reads them: by its own library, with a `.env` of our making."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from coinlake_cli import environment
from coinlake_cli.commands.env import init
from coinlake_cli.output import Output
from servers import fetch

COMPOSE = Path("ops/compose").absolute()
_TIMEOUT_S = 60


def laid_out(folder: Path) -> Path:
    """A copy of `ops/compose` in the folder, with new secrets beside it."""
    place = folder / "compose"
    shutil.copytree(COMPOSE, place, ignore=shutil.ignore_patterns(".env"))
    init(Output(as_json=True), place / ".env")
    return place


def resolved(place: Path, *files: str) -> dict[str, Any]:
    """All of the files merged, with the variables of the `.env` put in; refused as Compose refuses."""
    command = [str(fetch.built("compose") / "compose-config"), *files]
    done = subprocess.run(
        command,
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        # The library leaves it to its caller to read the file of variables.
        env={"PATH": os.defpath, "HOME": str(place), **environment.read(place / ".env")},
    )
    if done.returncode:
        raise ValueError(done.stderr)
    project: dict[str, Any] = json.loads(done.stdout)
    return project
