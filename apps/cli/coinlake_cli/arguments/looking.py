"""Commands that look at a deployment, and change nothing of it unless told to repair it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from coinlake_cli.calling import ended, span

app = typer.Typer()

_PANEL = "Is all well, and what is there"


@app.command(rich_help_panel=_PANEL)
def status(context: typer.Context) -> None:
    """Whether each feed is alive and fresh, and how far loading is behind."""
    from coinlake_cli.commands import status as command

    command.status(context.obj.settings(), context.obj.output)


@app.command(rich_help_panel=_PANEL)
def verify(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="First slot, as 2024-10-15 or 2024-10-15T06:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="Slots before this one.")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Send captures that were lost on the way to the topic again.")
    ] = False,
) -> None:
    """Compare lake and warehouse row by row; exit 1 if anything is missing, doubled or different."""
    from coinlake_cli.commands import verify as command

    moments, settings = span(since, until), context.obj.settings()
    if repair and settings.profile != "distributed":
        raise typer.BadParameter(
            "--repair is for the distributed profile; here `coinlake replay --all` loads anew"
        )
    ended(command.verify(settings, context.obj.output, *moments, repair=repair))


@app.command(rich_help_panel=_PANEL)
def page(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any.")] = None,
) -> None:
    """Serve the page alone, until stopped, where another program captures."""
    from coinlake_cli.commands import page as command

    command.page(context.obj.settings(), port=port)


@app.command(rich_help_panel=_PANEL)
def doctor(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all captures and indices, not only the newest captures.")
    ] = False,
) -> None:
    """Check each part: is it there, of the right version, with the right rights, and what to do if not."""
    from coinlake_cli.commands import doctor as command

    ended(command.doctor(context.obj.settings(), context.obj.output, deep=deep))


@app.command(rich_help_panel=_PANEL)
def trace(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="CAPTURE|QUOTE",
            help="A capture's id; or a quote: coingecko/bitcoin/usd, of a moment with @2024-10-15T06:00Z.",
        ),
    ],
) -> None:
    """The way of one capture: when it was asked for, received and loaded, and where its trace is."""
    from coinlake_cli.commands import trace as command

    command.trace(context.obj.settings(), context.obj.output, what)


@app.command(rich_help_panel=_PANEL)
def query(
    context: typer.Context,
    sql: Annotated[str, typer.Argument(help="One SQL statement; `-` reads it from stdin.")],
    format: Annotated[  # noqa: A002 (the option's name)
        Literal["table", "csv", "json", "parquet"],
        typer.Option(help="Form of the result; with --json, json for table."),
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the result; else stdout.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.")] = None,
) -> None:
    """Ask the warehouse in SQL, read-only."""
    from coinlake_cli.commands import query as command

    command.query(context.obj.settings(), context.obj.output, _statement(sql), format, output, limit)


def _statement(given: str) -> str:
    written = sys.stdin.buffer.read() if given == "-" else os.fsencode(given)
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter("the statement is not UTF-8 text") from None
