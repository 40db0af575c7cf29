"""A whole run of ops/compose, from `up` to rows in PostgreSQL, every service stopped, a backup restored.

    ./pants run tests/compose:whole                  # with a Docker that has bridge networks
    ./pants run tests/compose:whole -- --servers     # makes the images of the servers first

Our four images must be there (`./pants package ops/images::`), and the base (`build-support/base-image`) of
the servers. It says how long each step took and what it measured, and leaves nothing behind.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from compose.platform import Platform, make_servers, until

_PROJECT = "coinlake-whole"
_PORTS = {"PAGE_PORT": 18377, "AIRFLOW_PORT": 18080}
_RECOVERED_S = 300
_LOADED_S = 300
_UNAUTHORIZED = 401
_MIB = 1024**2
_STAYING = (
    *("mongo", "kafka", "postgres", "producer", "spark", "page"),
    *("airflow-api-server", "airflow-scheduler", "airflow-dag-processor"),
)


def main() -> int:
    """All steps in their order; 0 if each came about."""
    if "--servers" in sys.argv[1:]:
        make_servers()
    with tempfile.TemporaryDirectory() as folder:
        platform = Platform.laid_out(Path(folder), _PROJECT, _PORTS)
        try:
            _try(platform, Path(folder))
        except AssertionError as error:
            _say("FAILED", str(error))
            print(platform.compose("ps", "--all", check=False).stdout)
            print(platform.compose("logs", "--tail=40", check=False).stdout)
            return 1
        finally:
            platform.compose("down", "--volumes", "--timeout=30", check=False)
    _say("passed", "every step came about")
    return 0


def _try(platform: Platform, folder: Path) -> None:
    _up(platform, "from nothing")
    took = until("a capture is loaded", lambda: platform.loaded() > 0, _LOADED_S)
    _say("first rows", f"{platform.loaded()} captures loaded {took:.0f} s later")
    _published(platform)
    _memory(platform)
    for service in _STAYING:
        _stopped(platform, service)
    _verified(platform)
    _down_and_up(platform)
    _backup_and_restore(platform, folder)


def _up(platform: Platform, how: str) -> None:
    began = time.monotonic()
    platform.compose("up", "--detach", "--wait", "--wait-timeout=900")
    states = platform.states()
    sick = {name: states[name]["Health"] for name in _STAYING if states[name]["Health"] != "healthy"}
    assert not sick, f"not healthy after up: {sick}"
    _say("up", f"{how}: {time.monotonic() - began:.0f} s until all {len(_STAYING)} are healthy")


def _published(platform: Platform) -> None:
    """The two pages answer on loopback, and nothing else is published."""
    open_ports = {
        (publisher["URL"], publisher["PublishedPort"])
        for state in platform.states().values()
        for publisher in state["Publishers"] or []
        if publisher["PublishedPort"]
    }
    assert open_ports == {("127.0.0.1", port) for port in _PORTS.values()}, open_ports
    assert {_status(f"http://127.0.0.1:{port}/") for port in _PORTS.values()} == {200}
    assert _status(f"http://127.0.0.1:{_PORTS['AIRFLOW_PORT']}/api/v2/dags") == _UNAUTHORIZED
    _say("pages", "both answer on loopback, nothing else is published, and Airflow wants a login")


def _status(url: str) -> int:
    try:
        with urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def _memory(platform: Platform) -> None:
    names = {state["Name"]: service for service, state in platform.states().items() if service in _STAYING}
    form = "{{.Name}} {{.MemUsage}}"
    used = platform.run("docker", "stats", "--no-stream", f"--format={form}", *names).stdout
    figures = {
        names[line.split()[0]]: _bytes(line.split()[1]) / _MIB for line in used.splitlines() if line.strip()
    }
    each = ", ".join(f"{name} {size:.0f}" for name, size in sorted(figures.items()))
    _say("memory", f"{sum(figures.values()):.0f} MiB: {each}")


def _bytes(text: str) -> float:
    units = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024, "B": 1}
    unit = next(one for one in units if text.endswith(one))
    return float(text.removesuffix(unit)) * units[unit]


def _stopped(platform: Platform, service: str) -> None:
    """Stopped in its own good way and started again, it goes on, and so does all that needs it."""
    began = time.monotonic()
    platform.compose("stop", service)
    code = platform.states()[service]["ExitCode"]
    ended = time.monotonic() - began
    platform.compose("start", service)
    before = until_answers(platform)
    healthy = until(
        f"{service} is healthy again",
        lambda: platform.states()[service]["Health"] == "healthy",
        _RECOVERED_S,
    )
    loaded = until(
        f"captures are loaded after {service} was stopped",
        lambda: platform.loaded() > before,
        _LOADED_S,
    )
    _say(
        "stopped",
        f"{service}: ended with {code} after {ended:.0f} s, healthy after {healthy:.0f} s, "
        f"the next capture loaded {loaded:.0f} s later",
    )


def until_answers(platform: Platform) -> int:
    """How many captures are loaded, as soon as the warehouse says so."""
    until("the warehouse answers", lambda: platform.loaded() >= 0, _RECOVERED_S)
    return platform.loaded()


def _verified(platform: Platform) -> None:
    """Every capture is in the warehouse, once what came last has arrived too."""
    took = until(
        "`coinlake verify` finds nothing lost",
        lambda: platform.coinlake("verify", check=False).returncode == 0,
        _LOADED_S,
    )
    _say("verify", f"{platform.loaded()} captures: nothing is lost or loaded twice (after {took:.0f} s)")


def _down_and_up(platform: Platform) -> None:
    before, digest = platform.loaded(), _digest(platform)
    began = time.monotonic()
    platform.compose("down")
    _say("down", f"{time.monotonic() - began:.0f} s; the volumes stay")
    _up(platform, "with what was there")
    assert _digest(platform, digest[1]) == digest, "rows differ after down and up"
    until("more captures are loaded", lambda: platform.loaded() > before, _LOADED_S)
    _verified(platform)


def _backup_and_restore(platform: Platform, folder: Path) -> None:
    """All volumes lost: what the backup holds is there again, and the platform goes on."""
    backup = folder / "backup"
    began = time.monotonic()
    said = platform.run(str(platform.place / "backup"), str(backup)).stdout.strip().splitlines()
    _say("backup", f"{time.monotonic() - began:.0f} s; {'; '.join(said)}")
    digest = _digest(platform)
    refused = platform.run(str(platform.place / "restore"), str(backup), check=False)
    assert "there are volumes already" in refused.stderr, refused
    platform.compose("down", "--volumes")
    (platform.place / ".env").unlink()
    began = time.monotonic()
    platform.run(str(platform.place / "restore"), str(backup))
    _say("restore", f"{time.monotonic() - began:.0f} s")
    _up(platform, "from the backup")
    until("as many captures are loaded", lambda: platform.loaded() > digest[0], _LOADED_S)
    assert _digest(platform, digest[1]) == digest, "rows differ after the restore"
    _verified(platform)


def _digest(platform: Platform, last: int | None = None) -> tuple[int, int, str]:
    """How many captures are loaded up to a position in the lake, the last of them, and a sum of their ids."""
    bound = "" if last is None else f"WHERE position <= {last}"
    query = (
        "SELECT json_build_array(count(*), max(position),"
        " md5(string_agg(capture_id::text, ',' ORDER BY position)))"
        f" FROM coinlake.loaded_captures {bound}"
    )
    ((count, newest, total),) = platform.asked(query)
    return count, newest, total


def _say(step: str, said: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {step:<11} {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
