/** A broker takes no shorter one (Kafka's broker settings, `group.min.session.timeout.ms`). */
const sessionTimeoutMs = 6_000;

/**
 * One worker in distributed mode, so that connectors, offsets and states are in Kafka, and a worker
 * that was killed goes on where it was.
 * @param listener where its REST interface listens: `host:port`
 * @param bootstrap its broker's `host:port`
 */
export function settings(
  listener: string,
  bootstrap: string,
): Readonly<Record<string, string | number | boolean>> {
  const json = "org.apache.kafka.connect.json.JsonConverter";
  return {
    "bootstrap.servers": bootstrap,
    listeners: `http://${listener}`,
    "group.id": "kata-connect",
    "config.storage.topic": "kata-connect.configs",
    "offset.storage.topic": "kata-connect.offsets",
    "status.storage.topic": "kata-connect.status",
    "config.storage.replication.factor": 1,
    "offset.storage.replication.factor": 1,
    "status.storage.replication.factor": 1,
    "offset.storage.partitions": 1,
    "status.storage.partitions": 1,
    "key.converter": json,
    "key.converter.schemas.enable": false,
    "value.converter": json,
    "value.converter.schemas.enable": false,
    // Otherwise it looks through every class that there is.
    "plugin.discovery": "service_load",
    // Its connectors would wait five minutes for a worker that was killed.
    "scheduled.rebalance.max.delay.ms": 0,
    "session.timeout.ms": sessionTimeoutMs,
    "heartbeat.interval.ms": sessionTimeoutMs / 12,
    // What was sent since the last one comes again after a kill; the default is a minute.
    "offset.flush.interval.ms": 1_000,
  };
}
