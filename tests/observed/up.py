"""The distributed pipeline on loopback with its eyes open, for people: up until Ctrl-C, and broken on demand.

Venues are stand-ins that always have a price of now. Rules and Alertmanager are thirty times as fast as those
that are shipped, so what takes them minutes takes seconds here.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from observed.breaking import Breaking, line
from observed.scene import Scene
from servers import fetch
from servers.fixtures import Spark
from servers.for_people import until_ended

_LOOK_AGAIN_S = 0.2
_REACHED = """
page           {page}
Prometheus     {prometheus}/classic/alerts
Alertmanager   {alertmanager}
VictoriaLogs   {logs}/select/vmui    (in Loki's place)
Jaeger         {traces}    (in Tempo's place)
warehouse      psql '{dsn}'
the program    {program} status

What can be broken:  curl {breaking}/
"""


def main() -> int:
    """Ends with 0 after Ctrl-C, with 1 where a part is missing."""
    argparse.ArgumentParser(prog="./pants run tests/observed:up --", description=__doc__).parse_args()
    return until_ended(_up)


def _up() -> NoReturn:
    spark = Spark(fetch.spark(), fetch.jars("spark"))
    with tempfile.TemporaryDirectory(prefix="coinlake-observed-") as folder:
        print("Starting everything: half a minute, or some where it is to be fetched first.", flush=True)
        with Scene.running(Path(folder), spark) as scene, Breaking(scene) as breaking:
            scene.begin()
            scene.coinlake("verify")  # which should have run within the first minute
            print(_reached(scene, breaking), flush=True)
            _tell(scene)


def _reached(scene: Scene, breaking: Breaking) -> str:
    return _REACHED.format(
        page=scene.page,
        prometheus=scene.watching.prometheus.url,
        alertmanager=scene.watching.alertmanager.url,
        logs=scene.watching.logs.url,
        traces=scene.watching.traces.url,
        dsn=scene.site.dsn,
        program=_program(scene),
        breaking=breaking.root,
    )


def _program(scene: Scene) -> Path:
    """A command that is the program `coinlake` with the settings of this scene."""
    command = scene.site.folder / "coinlake"
    given = [f"{name}={value}" for name, value in scene.coinlake.variables().items()]
    words = ["env", "--chdir", str(scene.site.folder), *given, *scene.coinlake.command()]
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    command.chmod(0o700)
    return command


def _tell(scene: Scene) -> NoReturn:
    """Says what Alertmanager's receivers are told, as it comes."""
    said = 0
    while True:
        time.sleep(_LOOK_AGAIN_S)
        notices = scene.watching.listener.notices[said:]
        said += len(notices)
        for notice in notices:
            if notice.receiver != "heartbeat":
                print(f"{time.strftime('%H:%M:%S')} {line(notice)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
