"""Recorded answers of a real API as files: what tests and the replay server are fed with.

docs/recordings.md says how the files are named and shaped, so that anyone can record their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import msgspec

from coinlake.errors import FixConfiguration

SIDECAR = ".headers.json"
_TIME_IN_NAME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z")
_NOTES = {".md", ".tsv"}
_OF_THE_WIRE = {"content-encoding", "transfer-encoding", "content-length", "connection", "date", "age"}
"""Recorded headers that told how the bytes travelled then, or when."""
_NEVER = datetime.max.replace(tzinfo=UTC)


class _Sidecar(msgspec.Struct):
    status: int = 200
    url: str = ""
    headers: dict[str, list[str]] = {}


@dataclass(frozen=True, eq=False)
class Recording:
    """One recorded answer; its body is read each time it is asked for, so that many cost no memory."""

    path: Path
    """The file it was read from; for a made-up one, the file it was made from."""
    read: Callable[[], bytes] = field(repr=False)
    status: int = 200
    url: str | None = None
    """What was asked, without secrets; None where the recording does not say."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Answer headers, names in lower case; several of one name are joined by a comma."""
    recorded_at: datetime | None = None
    """UTC; None where the file's name holds no time: such an answer belongs to no moment."""
    synthetic: bool = False
    """True where it was made up from recordings."""

    @property
    def body(self) -> bytes:
        """The body's bytes. Raises `FixConfiguration` if the file can no longer be read."""
        try:
            return self.read()
        except OSError as error:
            raise FixConfiguration(f"Cannot read the recording {self.path}: {error.strerror}.") from error

    @property
    def headers_to_serve(self) -> dict[str, str]:
        """The headers that are as true when the answer is served again."""
        return {name: text for name, text in self.headers.items() if name not in _OF_THE_WIRE}

    @cached_property
    def endpoint(self) -> str | None:
        """The path of `url`; None without one."""
        return urlsplit(self.url).path if self.url else None

    @cached_property
    def params(self) -> Mapping[str, str]:
        """The query parameters of `url`; empty without one."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True)) if self.url else {}


def load(folders: Path | Iterable[Path]) -> list[Recording]:
    """All recordings in and below the folders, each file once, oldest first, those without a time last.

    Raises `FixConfiguration` naming the folder that is missing or empty, or the file that is not as
    docs/recordings.md says.
    """
    files: set[Path] = set()
    for folder in [folders] if isinstance(folders, Path) else folders:
        files |= _bodies(folder)
    recordings = [_recording(file) for file in files]
    return sorted(recordings, key=lambda r: (r.recorded_at or _NEVER, str(r.path)))


def _bodies(folder: Path) -> set[Path]:
    if not folder.is_dir():
        raise FixConfiguration(f"There is no folder {folder}: give one that holds recordings.")
    found = {file.resolve() for file in folder.rglob("*") if file.is_file() and _is_recorded(file, folder)}
    sidecars = {file for file in found if file.name.endswith(SIDECAR)}
    bodies = found - sidecars
    for sidecar in sidecars:
        if sidecar.with_name(sidecar.name.removesuffix(SIDECAR)) not in bodies:
            raise FixConfiguration(
                f"{sidecar} describes an answer that is not there: put the body beside it, "
                f"named {sidecar.name.removesuffix(SIDECAR)}, or remove it."
            )
    if not bodies:
        raise FixConfiguration(
            f"There is no recording in {folder}: it needs files such as 2024-10-15T010057Z.json "
            "(docs/recordings.md)."
        )
    return bodies


def _is_recorded(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() not in _NOTES


def _recording(file: Path) -> Recording:
    sidecar = _sidecar(file.with_name(file.name + SIDECAR))
    return Recording(
        path=file,
        read=file.read_bytes,
        status=sidecar.status,
        url=sidecar.url or None,
        headers={name.lower(): ", ".join(values) for name, values in sidecar.headers.items()},
        recorded_at=_time_in_name(file),
    )


def _sidecar(file: Path) -> _Sidecar:
    if not file.exists():
        return _Sidecar()
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Sidecar)
    except (OSError, ValueError) as error:
        raise FixConfiguration(
            f"Cannot read {file}: {error}. "
            'It holds one object: {"status": 200, "url": "https://…", "headers": {"Name": ["value"]}}.'
        ) from error


def _time_in_name(file: Path) -> datetime | None:
    match = _TIME_IN_NAME.search(file.name)
    if not match:
        return None
    try:
        return datetime.strptime(match[0], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise FixConfiguration(
            f"{match[0]} in the name of {file} is no time: write the UTC time as 2024-10-15T010057Z."
        ) from None
