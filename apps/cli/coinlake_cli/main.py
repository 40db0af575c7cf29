"""The `coinlake` program: its commands, its options, and what its exit codes mean.

    0  done                                  5  the other side refused for good
    1  looked, and found something wrong    70  a defect of Coinlake itself
    2  the command was called wrongly      130  cut short by Ctrl-C (run, demo: 0 at the first)
    3  a setting, right or file needs a person
    4  something is away or says wait: the same call may work later

Commands import what they need when they run, so that `--help` and `status` answer at once.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from click import exceptions as click_exceptions

from coinlake.errors import CoinlakeError, FixConfiguration, Interrupted, Refused, TryAgain, WaitUntil
from coinlake_cli.arguments import filling, looking, servers, venues
from coinlake_cli.calling import Call, program_version
from coinlake_cli.output import Output, talk

_EXIT_CODES: tuple[tuple[type[CoinlakeError], int], ...] = (
    (FixConfiguration, 3),
    (TryAgain, 4),
    (WaitUntil, 4),
    (Refused, 5),
    (Interrupted, 130),
)

_GO_ON = ("run", "demo", "page")
"""Commands that work until they are stopped; the others do one thing."""

app = typer.Typer(
    name="coinlake",
    help="The history of crypto prices on your own machine, whole and exact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for theme in (filling, looking, venues, servers):
    app.add_typer(theme.app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coinlake {program_version()}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; else ./coinlake.toml if there is one.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of the deployment; else `folder` of the settings.")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Look at the demo's folder.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Results as one JSON document.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log every event to stderr, not only trouble.")
    ] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    from coinlake import telemetry
    from coinlake.telemetry.logs import log_to_stderr

    if folder and demo:
        raise typer.BadParameter("give --folder or --demo, not both")
    level = logging.INFO if verbose else logging.WARNING
    log_to_stderr(level)
    command = str(context.invoked_subcommand)
    context.with_resource(telemetry.running(f"coinlake-{command}", once=command not in _GO_ON))
    context.obj = Call(config, folder, demo, Output(as_json=json), level)


def main() -> NoReturn:
    """Runs the program; every `CoinlakeError` ends as its message and its exit code."""
    try:
        code = _ended()
        sys.stdout.flush()  # now, since nobody can answer for it at the interpreter's own end
    except BrokenPipeError:
        code = _end_as_if_by_sigpipe()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        talk.print("coinlake: No space is left where the result goes: free some, or write elsewhere.")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
        code = 3
    sys.exit(code)


def _ended() -> str | int | None:
    """Runs the command; the exit code. Raises only what stdout does."""
    try:
        app()
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):
            raise ended.__context__ from None
        return ended.code
    except CoinlakeError as error:
        talk.print(f"coinlake: {error}", markup=False)
        return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
    except click_exceptions.Abort:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        talk.print_exception()
        talk.print("coinlake: this is a defect of Coinlake; please report it with the lines above.")
        return 70
    return 0


def _end_as_if_by_sigpipe() -> int:
    """Ends as other programs do whose reader has enough (`… | head`); with its code where it is blocked."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.raise_signal(signal.SIGPIPE)
    return 128 + signal.SIGPIPE


if __name__ == "__main__":
    main()
