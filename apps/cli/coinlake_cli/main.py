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
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer
from click import exceptions as click_exceptions

from coinlake.errors import CoinlakeError, FixConfiguration, Interrupted, Refused, TryAgain, WaitUntil
from coinlake_cli.folder import of_demo
from coinlake_cli.output import Output, log_to_stderr, talk
from coinlake_cli.times import parse_span

if TYPE_CHECKING:
    from coinlake.settings import Settings

EXIT_FOUND = 1
_EXIT_CODES: tuple[tuple[type[CoinlakeError], int], ...] = (
    (FixConfiguration, 3),
    (TryAgain, 4),
    (WaitUntil, 4),
    (Refused, 5),
    (Interrupted, 130),
)

app = typer.Typer(
    name="coinlake",
    help="The history of crypto prices on your own machine, whole and exact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
lake = typer.Typer(help="The lake of the distributed profile, in MongoDB.", no_args_is_help=True)
bus = typer.Typer(help="The bus of the distributed profile, a topic of Kafka.", no_args_is_help=True)
app.add_typer(lake, name="lake")
app.add_typer(bus, name="bus")


@dataclass(frozen=True)
class Call:
    """What the options before a command say."""

    config: Path | None
    folder: Path | None
    demo: bool
    output: Output

    def settings(self) -> Settings:
        """The settings of this call; `FixConfiguration` where they are wrong."""
        from coinlake.settings import load

        settings = load(self.config)
        place = self.folder or (of_demo() if self.demo else settings.folder)
        return settings.model_copy(update={"folder": place.expanduser().absolute()})


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"coinlake {program_version()}")
        raise typer.Exit


def program_version() -> str:
    """The version of the installed program; that of the sources where it is not installed."""
    try:
        return version("coinlake")
    except PackageNotFoundError:
        from coinlake import __version__

        return __version__


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

    if folder and demo:
        raise typer.BadParameter("give --folder or --demo, not both")
    log_to_stderr(verbose=verbose)
    telemetry.start()
    context.obj = Call(config, folder, demo, Output(as_json=json))


@app.command()
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


@app.command()
def run(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any.")] = None,
) -> None:
    """Poll the configured sources, load what they say, and serve the page, until stopped."""
    from coinlake_cli.commands import run as command

    command.run(context.obj.settings(), port=port)


@app.command()
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

    (moment, _), settings = _span(slot, None), context.obj.settings()
    _exit(command.capture(settings, context.obj.output, source, dataset, moment=moment, load=load))


@app.command()
def load(
    context: typer.Context,
    timeout_s: Annotated[float, typer.Option(help="How long Spark may take, where Spark loads.")] = 600,
) -> None:
    """Load what is in the lake now; or wait until Spark has, in the distributed profile."""
    from coinlake_cli.commands import load as command

    command.load(context.obj.settings(), context.obj.output, timeout_s=timeout_s)


@app.command()
def status(context: typer.Context) -> None:
    """Whether each feed is alive and fresh, and how far loading is behind."""
    from coinlake_cli.commands import status as command

    command.status(context.obj.settings(), context.obj.output)


@app.command()
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

    span, settings = _span(since, until), context.obj.settings()
    if repair and settings.profile != "distributed":
        raise typer.BadParameter(
            "--repair is for the distributed profile; here `coinlake replay --all` loads anew"
        )
    _exit(command.verify(settings, context.obj.output, *span, repair=repair))


@app.command()
def doctor(
    context: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read all captures and indices, not only the newest captures.")
    ] = False,
) -> None:
    """Check each part: is it there, of the right version, with the right rights, and what to do if not."""
    from coinlake_cli.commands import doctor as command

    _exit(command.doctor(context.obj.settings(), context.obj.output, deep=deep))


@app.command()
def replay(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only captures of this source.")] = None,
    since: Annotated[str | None, typer.Option(help="First slot to read again.")] = None,
    until: Annotated[str | None, typer.Option(help="Slots before this one.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Captures without dead letters too.")] = False,
) -> None:
    """Read captures again, as the plugins understand them now: dead letters, or a range of slots."""
    from coinlake_cli.commands import replay as command

    span = _span(since, until)
    command.replay(context.obj.settings(), context.obj.output, source, *span, everything=everything)


@app.command()
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


@app.command()
def record(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="An installed source; it need not be configured.")],
    dataset: Annotated[str, typer.Argument(help="One of its datasets.")],
    into: Annotated[Path, typer.Option(help="Folder for the recordings.")] = Path("recordings"),
) -> None:
    """Save the present answers of a venue as recordings, without keys; the lake is left alone."""
    from coinlake_cli.commands import record as command

    command.record(context.obj.settings(), context.obj.output, source, dataset, into)


@app.command("new-source")
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


@app.command()
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


@app.command()
def catalogue(
    context: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write it to as JSON, whole or not at all.")
    ] = None,
) -> None:
    """What is to be captured and how often, for a program that schedules it; and which plugin is broken."""
    from coinlake_cli.commands import catalogue as command

    command.catalogue(context.obj.settings(), context.obj.output, program_version(), output)


@lake.command("init")
def lake_init(context: typer.Context) -> None:
    """Make a lake of the database that lake.url names, or complete it; needs the role dbOwner."""
    from coinlake_cli.commands import init as command

    command.lake_init(context.obj.settings(), context.obj.output)


@bus.command("init")
def bus_init(context: typer.Context) -> None:
    """Make the topic that [bus] names, or set it to what [bus] says; tells what differs and is left."""
    from coinlake_cli.commands import init as command

    command.bus_init(context.obj.settings(), context.obj.output)


def _statement(given: str) -> str:
    written = sys.stdin.buffer.read() if given == "-" else os.fsencode(given)
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter("the statement is not UTF-8 text") from None


def _span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    try:
        return parse_span(since, until)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _exit(is_well: bool) -> None:
    if not is_well:
        raise typer.Exit(EXIT_FOUND)


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
