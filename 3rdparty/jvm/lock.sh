#!/usr/bin/env bash
# Writes the SHA-256 of every jar that each pom.xml here brings; run it after changing one, and read the diff.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
for pom in */pom.xml; do
  jars=$(mktemp -d)
  trap 'rm -r "${jars}"' EXIT
  mvn --quiet --batch-mode --file="${pom}" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="${jars}"
  (cd "${jars}" && LC_ALL=C sha256sum ./*.jar | sed 's|\./||') >"$(dirname "${pom}")/jars.sha256"
  rm -r "${jars}"
  trap - EXIT
done
