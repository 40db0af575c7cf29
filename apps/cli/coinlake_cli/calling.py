"""What every command has from its call: the options before it, spans of time, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from coinlake_cli.folder import of_demo
from coinlake_cli.output import Output
from coinlake_cli.times import parse_span

if TYPE_CHECKING:
    from coinlake.settings import Settings

EXIT_FOUND = 1


@dataclass(frozen=True)
class Call:
    """What the options before a command say."""

    config: Path | None
    folder: Path | None
    demo: bool
    output: Output
    log_level: int

    def settings(self) -> Settings:
        """The settings of this call, from which on logs have the form that they wish; `FixConfiguration`
        where they are wrong."""
        from coinlake.settings import load
        from coinlake.telemetry.logs import log_to_stderr

        settings = load(self.config)
        log_to_stderr(self.log_level, settings.telemetry.logs)
        place = self.folder or (of_demo() if self.demo else settings.folder)
        return settings.model_copy(update={"folder": place.expanduser().absolute()})


def program_version() -> str:
    """The version of the installed program; that of the sources where it is not installed."""
    try:
        return version("coinlake")
    except PackageNotFoundError:
        from coinlake import __version__

        return __version__


def span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The moments that two options name; the command was called wrongly where one is none."""
    try:
        return parse_span(since, until)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def ended(is_well: bool) -> None:
    """Ends the program if something wrong was found."""
    if not is_well:
        raise typer.Exit(EXIT_FOUND)
