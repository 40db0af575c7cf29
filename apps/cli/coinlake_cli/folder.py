"""The folder of a deployment, and the marks that keep a demo's rows out of a live warehouse."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import platformdirs

from coinlake.errors import FixConfiguration

Kind = Literal["live", "demo"]

_MARK = "kind"
_RUN_LOCK = "run.lock"
_PREPARE_LOCK = "prepare.lock"


def of_demo() -> Path:
    """Where the demo keeps its lake and warehouse unless told otherwise."""
    return Path(platformdirs.user_data_dir("coinlake-demo"))


def claim(folder: Path, kind: Kind) -> None:
    """Makes the folder, for its owner only, and marks what it holds; refuses one of the other kind."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = folder / _MARK
        if not mark.exists():
            if any(folder.glob("*.db")):
                raise FixConfiguration(
                    f"The folder {folder} holds a lake but no mark of its kind: it is not whole. "
                    "Restore it from a backup, or give another folder."
                )
            _write_whole(mark, kind)
        found = mark.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise FixConfiguration(
            f"Cannot use the folder {folder}: {error.strerror}. Give another by --folder or `folder`."
        ) from None
    if found != kind:
        raise FixConfiguration(
            f"The folder {folder} holds {found} data, which must not mix with {kind} data: "
            "give another by --folder."
        )


def kind_of(folder: Path) -> Kind:
    """What a folder holds; a folder without a mark is a live one to be."""
    try:
        return "demo" if (folder / _MARK).read_text(encoding="utf-8").strip() == "demo" else "live"
    except OSError:
        return "live"


@contextmanager
def only_runner(folder: Path) -> Iterator[None]:
    """Makes this the one program that polls into the folder; the others may look, verify and replay."""
    descriptor = os.open(folder / _RUN_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise FixConfiguration(
                f"Another coinlake (process {holder}) already polls into {folder}: stop it first, or give "
                "another folder by --folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Waits until no other program prepares the folder's warehouse: two first starts would cross."""
    descriptor = os.open(folder / _PREPARE_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_whole(path: Path, text: str) -> None:
    """Writes a file so that a crash leaves it whole or absent."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.new")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
