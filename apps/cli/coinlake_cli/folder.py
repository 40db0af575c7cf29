"""The folder of a deployment, and the marks that keep a demo's rows out of a live warehouse."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast, get_args

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
        if mark_of(folder) is None:
            write_whole(folder / _MARK, kind)
    except OSError as error:
        raise _unusable(folder, error) from None
    found = mark_of(folder)
    if found != kind:
        raise FixConfiguration(
            f"The folder {folder} holds {found} data, which must not mix with {kind} data: "
            "give another by --folder."
        )


def kind_of(folder: Path) -> Kind:
    """What the deployment in a folder holds; `FixConfiguration` where there is none. Makes nothing."""
    found = mark_of(folder)
    if found is None:
        raise FixConfiguration(
            f"There is no deployment in the folder {folder}: `coinlake run` begins one there, and --folder "
            "names another."
        )
    return found


def mark_of(folder: Path) -> Kind | None:
    """The mark of what a folder holds; None where no deployment was begun. Refuses one that is not whole."""
    try:
        found = (folder / _MARK).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if any(folder.glob("*.db")):
            raise _not_whole(folder, "a lake but no mark") from None
        return None
    except OSError as error:
        raise _unusable(folder, error) from None
    if found not in get_args(Kind):
        raise _not_whole(folder, f"the mark {found!r} instead")
    return cast(Kind, found)


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
    with _waited_for(folder / _PREPARE_LOCK):
        yield


@contextmanager
def one_capture_at_a_time(folder: Path, source: str, dataset: str) -> Iterator[None]:
    """Waits until no other program captures that dataset by its slot: both would ask for what neither has."""
    with _waited_for(folder / f"capture.{source}.{dataset}.lock"):
        yield


@contextmanager
def _waited_for(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _not_whole(folder: Path, holds: str) -> FixConfiguration:
    return FixConfiguration(
        f"The folder {folder} holds {holds} of its kind: it is not whole. "
        "Restore it from a backup, or give another folder."
    )


def _unusable(folder: Path, error: OSError) -> FixConfiguration:
    return FixConfiguration(
        f"Cannot use the folder {folder}: {error.strerror}. Give another by --folder or `folder`."
    )


def write_whole(path: Path, text: str) -> None:
    """Writes a file so that a crash leaves it whole or absent."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.new")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
