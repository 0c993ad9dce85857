#!/bin/bash
# Makes settings of variables and a log where there is none, as the official image does, and becomes
# the server.
set -euo pipefail
data=$KAFKA_LOG_DIRS settings=/tmp/server.properties

if [ "$(id -u)" = 0 ]; then
  chown kafka:kafka "$data"
  exec setpriv --reuid=kafka --regid=kafka --init-groups "$0" "$@"
fi
for variable in "${!KAFKA_@}"; do
  [ "$variable" != KAFKA_HEAP_OPTS ] || continue
  name=${variable#KAFKA_}
  name=${name,,}
  echo "${name//_/.}=${!variable}"
done >"$settings"
if [ ! -s "$data/meta.properties" ]; then
  printf '%s\n' version=1 "node.id=$KAFKA_NODE_ID" cluster.id=kata >"$data/meta.properties"
fi
# Several arguments in one variable, as there.
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/jars/*' kafka.Kafka "$settings"
