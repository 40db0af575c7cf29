"""`coinlake doctor`: each part checked by itself, so that one that is broken does not hide the others."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from coinlake import sqlite
from coinlake.errors import CoinlakeError, FixConfiguration
from coinlake.lake import Lake, damaged
from coinlake.model import Held
from coinlake.settings import Settings
from coinlake_cli import environment, folder
from coinlake_cli.deployment import Deployment, begun, load_plugins, opened
from coinlake_cli.output import Output, Table
from coinlake_warehouse.embedded import READER
from coinlake_warehouse.postgres import MAJOR
from coinlake_warehouse.schema import NEWEST

_LOW_DISK_BYTES = 2 * 1024**3
_ENVIRONMENTS = (Path(".env"), Path("ops/compose/.env"))
_NEWEST_CAPTURES = 1000
_READ_BYTES = 16 * 1024**2
"""How much of the lake is read at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    part: str
    state: Literal["well", "look", "broken"]
    said: str


def doctor(settings: Settings, output: Output, *, deep: bool) -> bool:
    """Checks settings, folder, plugins, lake and warehouse, and a `.env`; False if any is broken.

    Reads the bytes of the newest captures; with `deep` those of all, and the indices of our files. Raises
    `FixConfiguration` where the folder holds no deployment and there is no `.env`: there is nothing to check.
    """
    findings = [_check("program", lambda: _program(settings)), *_environment()]
    try:
        kind = begun(settings)
    except FixConfiguration:
        if len(findings) == 1:
            raise
    else:
        findings.append(_check("folder", lambda: _folder(settings, kind)))
        findings.append(_check("sources", lambda: _sources(settings)))
        findings.append(_check("files", lambda: _files(settings, deep=deep)))
        findings += _parts(settings, deep=deep)
    output.show(
        [{"part": f.part, "state": f.state, "said": f.said} for f in findings],
        Table("Doctor", ("part", "state", "said"), [(f.part, f.state, f.said) for f in findings]),
    )
    return all(finding.state != "broken" for finding in findings)


def _check(part: str, look: Callable[[], str | Finding]) -> Finding:
    try:
        found = look()
    except CoinlakeError as error:
        return Finding(part, "broken", str(error))
    return found if isinstance(found, Finding) else Finding(part, "well", found)


def _program(settings: Settings) -> str:
    from coinlake_cli.calling import program_version

    python = ".".join(map(str, sys.version_info[:3]))
    return f"coinlake {program_version()}, Python {python}, profile {settings.profile}"


def _environment() -> list[Finding]:
    """What is wrong with the `.env` here or of ops/compose, if there is one."""
    file = next((one for one in _ENVIRONMENTS if one.is_file()), None)
    if file is None:
        return []
    found = environment.troubles(file)
    if found:
        return [Finding("environment", "broken", f"{file}: {'; '.join(found)}")]
    return [Finding("environment", "well", f"{file}: every secret is there, hard to guess and its owner's")]


def _folder(settings: Settings, kind: folder.Kind) -> str | Finding:
    free = shutil.disk_usage(settings.folder).free
    said = f"{settings.folder} ({kind}), {free / 1024**3:.1f} GiB free"
    if free < _LOW_DISK_BYTES:
        return Finding("folder", "look", f"{said}: free some space, or give another folder")
    return said


def _sources(settings: Settings) -> str:
    plugins = load_plugins(settings)
    made = [plugins.make_source(name, given) for name, given in settings.sources.items()]
    plugins.steps(settings.refine.steps)
    return (
        ", ".join(f"{source.name} {source.version} ({source.root})" for source in made) or "none configured"
    )


def _files(settings: Settings, *, deep: bool) -> str | Finding:
    files = sorted(settings.folder.glob("*.db"))
    damage = [f"{file}: {text}" for file in files for text in sqlite.damage(file, deep=deep)]
    if damage:
        return Finding("files", "broken", f"{'; '.join(damage)}. Restore a backup")
    names = ", ".join(file.name for file in files) or "none yet"
    return f"{names}: {'every page and index' if deep else 'every page (--deep: indices too)'} well"


def _parts(settings: Settings, *, deep: bool) -> list[Finding]:
    """Checks that need the deployment open; if it does not open, that is the finding."""
    try:
        with opened(settings) as deployment:
            return [
                _check("lake", lambda: _lake(deployment.lake, deep=deep)),
                *([] if deployment.loads else [_check("bus", lambda: _bus(settings))]),
                _check("warehouse", lambda: _warehouse(deployment)),
                _check("loading", lambda: _loading(deployment)),
                _check("feeds", lambda: _feeds(deployment)),
            ]
    except CoinlakeError as error:
        return [Finding("lake and warehouse", "broken", str(error))]


def _lake(lake: Lake, *, deep: bool) -> str | Finding:
    after = 0 if deep else max(0, lake.end() - _NEWEST_CAPTURES)
    captures, bodies = lake.count_after(0), lake.count_after(after)
    changed = [str(held.capture.id) for held in damaged(_behind(lake, after))]
    if changed:
        return Finding(
            "lake", "broken", f"captures whose bytes changed on disk: {', '.join(changed)}; restore a backup"
        )
    looked = "every body" if bodies == captures else f"the newest {bodies:,} bodies (--deep: all)"
    return f"{captures:,} captures, {looked} as the SHA-256 says"


def _behind(lake: Lake, position: int) -> Iterator[Held]:
    while held := lake.tail(position, captures=_NEWEST_CAPTURES, body_bytes=_READ_BYTES):
        yield from held
        position = held[-1].position


def _bus(settings: Settings) -> str:
    from coinlake_bus.kafka import Bus  # the embedded program does without Kafka's client

    topic = Bus(settings.bus).topic()
    return f"topic {settings.bus.topic} of {topic.partitions} partitions at {settings.bus.servers}"


def _warehouse(deployment: Deployment) -> str:
    deployment.reader.totals()
    if deployment.server is None:
        return f"your server answers, schema {NEWEST}; reading works"
    password = deployment.settings.folder / "warehouse" / f"{READER}.password"
    return (
        f"embedded PostgreSQL {MAJOR} on 127.0.0.1:{deployment.server.port}, schema {NEWEST}; "
        f"to connect: login {READER}, database coinlake, password in {password}"
    )


def _loading(deployment: Deployment) -> str:
    position = deployment.warehouse.position(deployment.lake.id)
    return f"{deployment.lake.count_after(position):,} captures not loaded yet"


def _feeds(deployment: Deployment) -> str | Finding:
    troubled = [f"{f.source}/{f.dataset}: {f.last_error}" for f in deployment.state.feeds() if f.last_error]
    if troubled:
        return Finding("feeds", "look", "; ".join(troubled))
    return f"{len(deployment.state.feeds())} known, none in trouble"
