"""Commands that make the servers of the distributed profile ready."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PANEL = "Servers of the distributed profile"

app = typer.Typer()
lake = typer.Typer(help="The lake of the distributed profile, in MongoDB.", no_args_is_help=True)
bus = typer.Typer(help="The bus of the distributed profile, a topic of Kafka.", no_args_is_help=True)
env = typer.Typer(help="The secrets of all servers, for ops/compose.", no_args_is_help=True)
app.add_typer(env, name="env", rich_help_panel=_PANEL)
app.add_typer(lake, name="lake", rich_help_panel=_PANEL)
app.add_typer(bus, name="bus", rich_help_panel=_PANEL)


@lake.command("init")
def lake_init(
    context: typer.Context,
    logins: Annotated[
        bool,
        typer.Option("--logins", help="Of a new server, on its own machine: the replica set and logins too."),
    ] = False,
) -> None:
    """Make a lake of the database that lake.url names, or complete it; needs the role dbOwner."""
    from coinlake_cli.commands import init as command

    command.lake_init(context.obj.settings(), context.obj.output, logins=logins)


@bus.command("init")
def bus_init(
    context: typer.Context,
    logins_by: Annotated[
        str | None,
        typer.Option(
            help="Give logins too, by this address of the broker's, which only its machine reaches."
        ),
    ] = None,
) -> None:
    """Make the topic that [bus] names, or set it to what [bus] says; tells what differs and is left."""
    from coinlake_cli.commands import init as command

    command.bus_init(context.obj.settings(), context.obj.output, own_listener=logins_by)


@env.command("init")
def env_init(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, which must not be there.")] = Path(".env"),
) -> None:
    """Write a .env with new secrets for every server of ops/compose, readable by its owner only."""
    from coinlake_cli.commands import env as command

    command.init(context.obj.output, file)
