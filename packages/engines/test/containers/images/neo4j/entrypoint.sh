#!/bin/bash
# Makes settings of variables, as the official image does, and becomes the server.
set -euo pipefail
home=/var/lib/neo4j

if [ "$(id -u)" = 0 ]; then
  chown neo4j:neo4j /data
  exec setpriv --reuid=neo4j --regid=neo4j --init-groups "$0" "$@"
fi
{
  printf '%s\n' server.default_listen_address=0.0.0.0 server.directories.data=/data
  if [ "${NEO4J_AUTH-}" = none ]; then echo dbms.security.auth_enabled=false; fi
  for variable in "${!NEO4J_@}"; do
    [ "$variable" != NEO4J_AUTH ] || continue
    # Dots are underscores, and underscores are two.
    name=${variable#NEO4J_}
    name=${name//__/%}
    name=${name//_/.}
    echo "${name//%/_}=${!variable}"
  done
} >"$home/conf/neo4j.conf"
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  --add-opens=java.base/{java.lang,java.io,java.nio,sun.nio.ch}=ALL-UNNAMED \
  -cp '/opt/neo4j/jars/*' org.neo4j.server.CommunityEntryPoint \
  --home-dir="$home" --config-dir="$home/conf" --console-mode
