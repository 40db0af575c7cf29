#!/bin/bash
# What the official image of PostgreSQL does at its first start, as far as ops/compose relies on it.
set -eu
if [ ! -e "${PGDATA}/PG_VERSION" ]; then
  initdb --username=postgres --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD}") ${POSTGRES_INITDB_ARGS}
  printf 'host all all all scram-sha-256\n' >>"${PGDATA}/pg_hba.conf"
  printf "listen_addresses = '*'\n" >>"${PGDATA}/postgresql.conf"
fi
unset POSTGRES_PASSWORD
exec "$@"
