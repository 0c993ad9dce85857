#!/bin/bash
# Makes the first tables and the administrator where there are none, as the official image does, and
# becomes the server.
set -euo pipefail
data=/var/lib/mysql socket=/tmp/mysqld.sock

if [ "$(id -u)" = 0 ]; then
  chown mysql:mysql "$data"
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi
if [ ! -d "$data/mysql" ]; then
  # What they are called depends on the release; the system's come first.
  tables=$(find /usr/share -name '*_system_tables.sql' -o -name '*_performance_tables.sql' | sort -r)
  # Several paths in one variable.
  # shellcheck disable=SC2086
  printf '%s\n' 'CREATE DATABASE mysql;' 'USE mysql;' | cat - $tables |
    "$@" --datadir="$data" --skip-log-bin --bootstrap
  # Read before anybody is let in; one statement a line.
  cat >/tmp/first.sql <<SQL
CREATE USER root@'$MARIADB_ROOT_HOST' IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';
GRANT ALL ON *.* TO root@'$MARIADB_ROOT_HOST' WITH GRANT OPTION;
SQL
  set -- "$@" --init-file=/tmp/first.sql
fi
exec "$@" --datadir="$data" --socket="$socket"
