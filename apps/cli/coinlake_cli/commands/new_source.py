"""`coinlake new-source`: a source plugin that works at once, to be made into the one that is wanted.

Anywhere it is a package of its own, to install with pip; inside Coinlake's repository a room of it. What
is written comes from `templates/`: `package` is the plugin, `contract` and `candle` its tests, the rest what
each form needs besides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template

from coinlake.errors import FixConfiguration
from coinlake.settings import Settings
from coinlake_cli.calling import program_version
from coinlake_cli.deployment import load_plugins
from coinlake_cli.output import Output, Table, talk

_TEMPLATES = Path(__file__).parent.parent / "templates"
_ENDING = ".template"
_BUILD = "build"
"""A template of a BUILD file: Pants would take one that is called BUILD.template for its own."""
_TRIED = "from coinlake_cli.trying import tried"
_ROOMS = "SOURCES_AND_STAGES = ["


@dataclass(frozen=True)
class _Place:
    """Where a plugin is written, and what to do there next."""

    folders: Mapping[str, Path]
    """Where the files below each folder of templates go."""
    next_steps: str


def new_source(settings: Settings, output: Output, name: str, into: Path | None) -> None:
    """Writes the plugin of a source, and says what to do with it; writes over nothing.

    Raises `FixConfiguration` for a name that cannot be one or is taken, and for a folder that exists.
    """
    _check(name, settings)
    repository = _repository((into or Path.cwd()).absolute())
    if repository and into in (None, repository / "libs/sources"):
        place = _inside(repository, name)
    else:
        place = _outside((into or Path.cwd()).absolute() / name, name)
    files = dict(_files(place, _words(name)))
    for taken in (place.folders["package"].parent, *files):
        if taken.exists():
            raise FixConfiguration(f"{taken} is there already: remove it, or choose another name or --into.")
    try:
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except OSError as error:
        raise FixConfiguration(f"Cannot write {error.filename}: {error.strerror}.") from None
    written = [str(file) for file in files]
    output.show(written, Table("Written", ("file",), [[file] for file in written]))
    talk.print(place.next_steps, markup=False)


def _check(name: str, settings: Settings) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or iskeyword(name):
        raise FixConfiguration(
            f"{name!r} cannot name a source: write small letters and digits, beginning with a letter, with _ "
            "between words, and no word of Python's own, such as kraken or my_venue."
        )
    if name in load_plugins(settings).sources:
        raise FixConfiguration(f"There is a source {name} already: see `coinlake sources`.")
    if find_spec(f"coinlake_{name}"):
        raise FixConfiguration(f"There is a package coinlake_{name} already: choose another name.")


def _repository(place: Path) -> Path | None:
    """The Coinlake repository that a folder is in, if it is in one."""
    for folder in (place, *place.parents):
        if (folder / "pants.toml").is_file() and (folder / "libs/sources").is_dir():
            return folder
    return None


def _outside(folder: Path, name: str) -> _Place:
    return _Place(
        {
            "package": folder / f"coinlake_{name}",
            "contract": folder / "tests",
            "candle": folder / "tests",
            "outside": folder,
        },
        f"\nNext:\n  cd {folder}\n  pip install -e '.[test]'\n  pytest\nThen see README.md.",
    )


def _inside(repository: Path, name: str) -> _Place:
    room, tests = repository / "libs/sources" / name, repository / "tests/sources" / name
    package = room / f"coinlake_{name}"
    lines = (repository / "BUILD").read_text(encoding="utf-8").splitlines()
    line = next((number for number, text in enumerate(lines, 1) if text.startswith(_ROOMS)), 0)
    return _Place(
        # The way to the warehouse crosses rooms, so its test stands where that is allowed.
        {"package": package, "contract": package, "candle": tests, "inside": room, "inside_tests": tests},
        f'\nNext:\n  {repository / "BUILD"}, behind line {line} ({_ROOMS}…): add "libs/sources/{name}",\n'
        f'  pyproject.toml, known-first-party: add "coinlake_{name}",\n'
        f"  ./pants test libs/sources/{name}:: tests/sources/{name}::\n"
        f"Then see libs/sources/{name}/README.md.",
    )


def _words(name: str) -> dict[str, str]:
    parts = name.split("_")
    return {
        "name": name,
        "dashed": "-".join(parts),
        "klass": "".join(part.capitalize() for part in parts),
        "title": " ".join(part.capitalize() for part in parts),
        "version": program_version(),
        "imports_of_candle_test": "\n".join(
            sorted(
                ("from coinlake_cli.trying import tried", f"from coinlake_{name}.recordings import TICKERS")
            )
        ),
    }


def _files(place: _Place, words: Mapping[str, str]) -> Iterator[tuple[Path, bytes]]:
    """Every file that is to be, with its content."""
    for kind, folder in place.folders.items():
        for template in sorted((_TEMPLATES / kind).rglob("*")):
            if template.is_dir():
                continue
            content = template.read_bytes()
            name = template.relative_to(_TEMPLATES / kind)
            if name.suffix == _ENDING:
                content = Template(content.decode()).substitute(words).encode()
                name = name.with_name("BUILD") if name.stem == _BUILD else name.with_suffix("")
            yield folder / name, content
