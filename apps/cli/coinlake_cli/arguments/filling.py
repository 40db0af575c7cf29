"""Commands that bring answers into the lake and rows into the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coinlake_cli.calling import Call, ended, span

app = typer.Typer()

_PANEL = "From the venues to the warehouse"


@app.command(rich_help_panel=_PANEL)
def demo(
    context: typer.Context,
    recordings: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of recordings to replay instead; may be given several times."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when all recordings are loaded.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with an empty demo folder.")] = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long the replay takes, however long the recorded time.")
    ] = 20.0,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any.")] = None,
) -> None:
    """Replay recorded answers through the real pipeline: no key, no network."""
    from coinlake_cli.commands import demo as command

    call: Call = context.obj
    command.demo(
        call.settings(),
        call.output,
        folder=call.folder,
        recordings=recordings or [],
        once=once,
        fresh=fresh,
        seconds=seconds,
        port=port,
    )


@app.command(rich_help_panel=_PANEL)
def run(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any.")] = None,
) -> None:
    """Poll the configured sources, load what they say, and serve the page, until stopped."""
    from coinlake_cli.commands import run as command

    command.run(context.obj.settings(), port=port)


@app.command(rich_help_panel=_PANEL)
def capture(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(help="Source; else all that are configured.")] = None,
    dataset: Annotated[str | None, typer.Argument(help="Dataset of that source; else all.")] = None,
    slot: Annotated[
        str | None, typer.Option(help="The slot of this moment instead, unless the lake has it already.")
    ] = None,
    load: Annotated[bool, typer.Option(help="Load what is in the lake, where Spark does not.")] = True,
) -> None:
    """Fetch the present slot now, and load it."""
    from coinlake_cli.commands import capture as command

    (moment, _), settings = span(slot, None), context.obj.settings()
    ended(command.capture(settings, context.obj.output, source, dataset, moment=moment, load=load))


@app.command(rich_help_panel=_PANEL)
def load(
    context: typer.Context,
    timeout_s: Annotated[float, typer.Option(help="How long Spark may take, where Spark loads.")] = 600,
) -> None:
    """Load what is in the lake now; or wait until Spark has, in the distributed profile."""
    from coinlake_cli.commands import load as command

    command.load(context.obj.settings(), context.obj.output, timeout_s=timeout_s)


@app.command(rich_help_panel=_PANEL)
def replay(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only captures of this source.")] = None,
    since: Annotated[str | None, typer.Option(help="First slot to read again.")] = None,
    until: Annotated[str | None, typer.Option(help="Slots before this one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Captures without dead letters too.")] = False,
) -> None:
    """Read captures again, as the plugins understand them now: dead letters, or a range of slots."""
    from coinlake_cli.commands import replay as command

    moments = span(since, until)
    command.replay(context.obj.settings(), context.obj.output, source, *moments, everything=everything)


@app.command(rich_help_panel=_PANEL)
def prune(context: typer.Context) -> None:
    """Let months of quotes older than warehouse.keep_quotes leave the warehouse, once all is verified."""
    from coinlake_cli.commands import prune as command

    ended(command.prune(context.obj.settings(), context.obj.output))
