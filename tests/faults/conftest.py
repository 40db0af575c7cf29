"""A scene for each test, with no server left behind by one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The program in a new home, with a few recorded days to replay."""
    scene = Scene(tmp_path / "a home")
    yield scene
    scene.end()
