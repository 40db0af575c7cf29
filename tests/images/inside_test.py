"""What is in the images, and what is not."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from images.building import COMMIT, IMAGES, VERSION, build
from images.docker import Docker

pytestmark = pytest.mark.timeout(900)  # the first test builds the images

PACKED = next(
    (pex for pex in map(Path, ("apps.producer", "dist/apps.producer")) if pex.exists()), Path("apps.producer")
)
"""Beside the tests where Pants runs them; else where `./pants package apps/producer:` puts it."""
A_PUSH_BYTES = 1_000_000

_SHELL = ("--entrypoint=sh",)
_COMPILERS = "cc c++ gcc g++ clang tcc ld as make javac go rustc"
_WRITABLE = "find / -xdev -type d -writable ! -path '/proc/*' ! -path '/dev/*'"
_OURS_PACKED = """cd /opt/app/lib/python3.11/site-packages
ours=$(ls -d coinlake coinlake_*) apps=$(ls -d coinlake_cli coinlake_producer coinlake_spark 2>/dev/null)
for layer in "$apps" "$(echo "$ours" | grep -vxF "$apps")"; do
  tar c --exclude=recordings $layer | gzip | wc -c
done
"""
_KEEPS_SECRETS = r"find / -xdev -regex '.*/\(\.netrc\|pip\.conf\|\.pypirc\|\.env\|id_rsa\|id_ed25519\)'"
_TELLS_SECRETS = re.compile(r"(?i)password|secret|token|_key\b|__url|__dsn|pip_|maven_|proxy|://[^/\s]*@")

every_image = pytest.mark.parametrize("image", IMAGES.values(), ids=IMAGES)


@every_image
def test_its_labels_say_which_version_of_which_commit_it_is(docker: Docker, image: str) -> None:
    name, version = image.split(":")
    assert version == VERSION
    assert docker.inspect(image)["Config"]["Labels"] == {
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": COMMIT,
    }


@every_image
def test_it_runs_as_nobody_in_particular_and_writes_only_to_its_volumes(docker: Docker, image: str) -> None:
    assert docker.once(image, "-c", "id -u", options=_SHELL).stdout == "10001\n"
    writable = docker.once(image, "-c", _WRITABLE, options=_SHELL).stdout.split()
    assert set(writable) == {"/tmp", *docker.inspect(image)["Config"]["Volumes"]}


@every_image
def test_no_compiler_is_inside(docker: Docker, image: str) -> None:
    looked = f"command -v sh; for name in {_COMPILERS}; do command -v $name; done; true"
    (shell,) = docker.once(image, "-c", looked, options=_SHELL).stdout.split()
    assert shell.endswith("/sh")


@every_image
def test_no_secret_is_inside(docker: Docker, image: str) -> None:
    built = docker("history", "--no-trunc", "--format={{.CreatedBy}}", image).stdout
    told = "\n".join(docker.inspect(image)["Config"]["Env"]) + built
    assert _TELLS_SECRETS.findall(told) == []
    kept = docker.once(image, "-c", _KEEPS_SECRETS, options=_SHELL).stdout.split()
    assert kept == []


@every_image
def test_it_has_a_check_of_health_and_a_program_to_start(docker: Docker, image: str) -> None:
    config = docker.inspect(image)["Config"]
    assert config["Healthcheck"]["Test"][:3] == ["CMD", "python", "-m"]
    assert config["Entrypoint"]


@every_image
def test_the_app_and_what_it_stands_on_are_each_less_than_a_push_of_a_megabyte(
    docker: Docker, image: str
) -> None:
    packed = docker.once(image, "-c", _OURS_PACKED, options=_SHELL)
    app, libs = map(int, packed.stdout.split())
    assert 2_000 < app < A_PUSH_BYTES
    assert 10_000 < libs < A_PUSH_BYTES


@pytest.mark.parametrize(("package", "changes"), [("coinlake_producer", -1), ("coinlake", -2)])
def test_a_change_of_code_changes_the_layer_that_it_is_in_and_no_other(
    docker: Docker, tmp_path: Path, package: str, changes: int
) -> None:
    context = tmp_path / "context"
    shutil.copytree("ops/images", context / "ops/images")
    (context / "apps.producer").mkdir()
    program = context / "apps.producer/coinlake-producer.pex"
    shutil.copyfile(PACKED / program.name, program)
    with zipfile.ZipFile(program, "a") as opened:
        opened.writestr(f"{package}/added.py", "added = True\n")
    before = layers(docker, IMAGES["coinlake-producer"])
    after = layers(docker, build(docker, context, "producer", f"PEX=apps.producer/{program.name}"))
    assert [was != now for was, now in zip(before, after, strict=True)].count(True) == 1
    assert before[changes] != after[changes]


def layers(docker: Docker, image: str) -> list[str]:
    """The layers of an image, the lowest first, by what is in them."""
    return list(docker.inspect(image)["RootFS"]["Layers"])
