"""Commands for those who choose sources, or write one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coinlake_cli.calling import program_version

app = typer.Typer()

_PANEL = "Sources"


@app.command(rich_help_panel=_PANEL)
def sources(
    context: typer.Context,
    unmapped: Annotated[
        bool,
        typer.Option("--unmapped", help="Instead: what venues have and the map of assets lacks."),
    ] = False,
) -> None:
    """The sources that are installed, and what each offers."""
    from coinlake_cli.commands import sources as command

    show = command.unmapped if unmapped else command.sources
    show(context.obj.settings(), context.obj.output)


@app.command(rich_help_panel=_PANEL)
def catalogue(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write it to as JSON, whole or not at all.")
    ] = None,
) -> None:
    """What is to be captured and how often, for a program that schedules it; and which plugin is broken."""
    from coinlake_cli.commands import catalogue as command

    command.catalogue(context.obj.settings(), context.obj.output, program_version(), output)


@app.command(rich_help_panel=_PANEL)
def record(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="An installed source; it need not be configured.")],
    dataset: Annotated[str, typer.Argument(help="One of its datasets.")],
    into: Annotated[Path, typer.Option(help="Folder for the recordings.")] = Path("recordings"),
) -> None:
    """Save the present answers of a venue as recordings, without keys; the lake is left alone."""
    from coinlake_cli.commands import record as command

    command.record(context.obj.settings(), context.obj.output, source, dataset, into)


@app.command("new-source", rich_help_panel=_PANEL)
def new_source(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the source: small letters, digits and _.")],
    into: Annotated[
        Path | None, typer.Option(help="Folder to write it in; else here, or libs/sources of Coinlake's own.")
    ] = None,
) -> None:
    """Write a source plugin that works at once, with tests, a recording and a README."""
    from coinlake_cli.commands import new_source as command

    command.new_source(context.obj.settings(), context.obj.output, name, into)
