export type Settings = Readonly<Record<string, string | number | boolean>>;

/** Where its listeners are; each is `host:port`. */
export interface Listeners {
  readonly controller: string;
  /** For clients: where it listens, and what it tells them. */
  readonly clients: string;
  readonly advertised: string;
  /** Where it reaches itself, if that isn't where clients reach it. */
  readonly internal?: string;
}

/** One node that is broker and controller, with what a cluster of three would need turned down to one. */
export function settings(
  log: string,
  { controller, clients, advertised, internal }: Listeners,
): Settings {
  const inside = internal ? `,INTERNAL://${internal}` : "";
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@${controller}`,
    "controller.listener.names": "CONTROLLER",
    listeners: `PLAINTEXT://${clients},CONTROLLER://${controller}${inside}`,
    "advertised.listeners": `PLAINTEXT://${advertised}${inside}`,
    "inter.broker.listener.name": internal ? "INTERNAL" : "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT",
    "log.dirs": log,
    "auto.create.topics.enable": false,
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    // Consumers needn't wait for others of their group.
    "group.initial.rebalance.delay.ms": 0,
    // How long a broker that was killed keeps its successor, itself, from registering.
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 250,
    // What changes the cluster, such as a new topic, waits for others to be written along with it.
    "controller.quorum.append.linger.ms": 0,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    "log.index.size.max.bytes": 1_048_576,
    "num.io.threads": 2,
    "num.network.threads": 2,
  };
}
