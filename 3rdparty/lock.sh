#!/usr/bin/env bash
# Locks every resolve; run from the build root: 3rdparty/lock.sh [--upgrade | --upgrade-package NAME].
# main is locked first; pytest takes main's versions for every package it shares with main. airflow takes
# pytest's, which stands beside it in tests, and not main's: it wants an older fastapi, and no process has both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PIP_FIND_LINKS
UV=${UV:-uv}
compile() { # NAME [more arguments]
  local name=$1; shift
  "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --exclude-newer "${EXCLUDE_NEWER:-2026-11-24}" "$@" \
    "3rdparty/$name/requirements.in" -o "3rdparty/$name/requirements.lock"
}
compile main "$@"
compile pytest -c 3rdparty/main/requirements.lock "$@"
compile airflow -c 3rdparty/pytest/requirements.lock "$@"
compile lint -c 3rdparty/main/requirements.lock "$@"
compile bench "$@"
compile ops "$@"
compile spark -c 3rdparty/main/requirements.lock "$@"
compile wheels "$@"
compile sbom "$@"
