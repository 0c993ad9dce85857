#!/bin/bash
# Makes a cluster where there is none, as the official image does, and becomes the server.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chown postgres:postgres "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Several arguments in one variable, as there.
  # shellcheck disable=SC2086
  initdb --encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256 --username="$POSTGRES_USER" \
    --pwfile=<(printf %s "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
exec "$@"
