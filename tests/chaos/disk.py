"""A disk that can be full: a tmpfs of a size that changes."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 1024 * 1024


class Disk:
    """A file system of its own, mounted at `folder`."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size

    def fill(self) -> None:
        """From now on there is no space left."""
        self._resize(shutil.disk_usage(self.folder).used)

    def free(self) -> None:
        """From now on there is space again."""
        self._resize(self._size)

    def _resize(self, size: int) -> None:
        subprocess.run(_as_root("mount", "-o", f"remount,size={size}", str(self.folder)), check=True)


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[Disk]:
    """A disk of `size` bytes while the block lasts. Skips, and under CI fails, where none can be mounted."""
    folder.mkdir()
    options = f"size={size},mode=0755,uid={os.getuid()},gid={os.getgid()}"
    mounting = _as_root("mount", "-t", "tmpfs", "-o", options, "coinlake-test", str(folder))
    try:
        subprocess.run(mounting, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        reason = (
            f"A small disk cannot be mounted ({said}): it takes root, or a sudo that asks for no password."
        )
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield Disk(folder, size)
    finally:
        # Lazily: of a server just killed the kernel may still hold a file.
        subprocess.run(_as_root("umount", "--lazy", str(folder)), check=True)


def _as_root(*command: str) -> list[str]:
    return [*command] if os.geteuid() == 0 else ["sudo", "-n", *command]
