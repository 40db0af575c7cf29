#!/usr/bin/env bash
# Writes the collector's program from its builder.yaml, and the sums of all that is built here. Read the diff.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
version=$(sed -n 's/^  version: //p' collector/builder.yaml)
(
  cd collector
  with_place=$(mktemp --suffix=.yaml)
  trap 'rm "${with_place}"' EXIT
  sed 's/^dist:/dist:\n  output_path: ./' builder.yaml >"${with_place}"
  go run "go.opentelemetry.io/collector/cmd/builder@v${version}" --config="${with_place}" --skip-compilation
  rm main_windows.go
  go mod edit -tool=coinlake/otelcol
)
# Of Telegraf only the parts that tests/servers/fetch.py names: the sums of all others are not needed, nor all served.
(cd telegraf && go list -mod=mod -tags=custom,inputs.mongodb,outputs.prometheus_client -deps tool >/dev/null)
for part in compose victorialogs jaeger; do
  (cd "${part}" && go mod download && go mod verify)
done
