import { type Admin, type ITopicConfig, Kafka, logLevel } from "kafkajs";
import { advertisedHost } from "./addresses.ts";

/** A client that fails at once, rather than waiting for brokers that are down. */
export function clientFor(url: string): Kafka {
  return new Kafka({
    brokers: [new URL(url).host],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    retry: { retries: 0 },
  });
}

/** @throws anything, as long as not every partition can be read and written, by a group too */
export async function assertReady(url: string): Promise<void> {
  await withAdmin(url, async (admin) => {
    const { brokers } = await admin.describeCluster();
    if (brokers.length === 0) throw new Error("the broker is still fenced");
    const { hostname, port } = new URL(url);
    const elsewhere = brokers.find(
      (broker) => broker.host !== advertisedHost || `${broker.port}` !== port,
    );
    if (elsewhere || hostname !== advertisedHost)
      throw new Error(
        `clients are told to go to ${brokers.map((broker) => `${broker.host}:${broker.port}`).join(", ")}, past our proxies: it must be one broker, and its advertised.listeners ${advertisedHost}:${port}, as in its address here`,
      );
    const { topics } = await admin.fetchTopicMetadata();
    for (const { name, partitions } of topics)
      if (partitions.some(({ leader }) => leader < 0)) throw new Error(`${name} has no leader`);
    // Groups are kept in a topic that comes into being with the first question after one.
    await admin.fetchOffsets({ groupId: "kata.ready" });
  });
}

/** Does with a broker what its clients will. @throws anything, while it is not ready */
export async function tryOut(url: string): Promise<void> {
  await assertReady(url);
  const topic = `kata.${crypto.randomUUID()}`;
  const producer = clientFor(url).producer();
  await withAdmin(url, async (admin) => {
    await createTopics(admin, [{ topic }]);
    await producer.connect();
    try {
      await producer.send({ topic, messages: [{ key: "key", value: "value" }] });
    } finally {
      await producer.disconnect();
    }
    await readAll(url, topic, admin);
    await admin.deleteTopics({ topics: [topic] });
  });
}

/** In which new topics get their leaders. */
const leadersMs = 10_000;

const unsettled = [
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "UNKNOWN_TOPIC_OR_PARTITION",
];

/** Makes topics; they have leaders then, who answer. Asks sooner than the client would by itself. */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  const names = topics.map(({ topic }) => topic);
  const deadline = Date.now() + leadersMs;
  for (;;) {
    try {
      await admin.fetchTopicMetadata({ topics: names });
      // A broker tells of a new leader before it is one: BrokerMetadataPublisher, Kafka 4.
      await Promise.all(names.map((name) => admin.fetchTopicOffsets(name)));
      return;
    } catch (error) {
      const { type } = ((error as Error).cause ?? error) as { type?: string };
      if (!unsettled.includes(type ?? "") || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

export async function withAdmin<T>(url: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = clientFor(url).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface KafkaRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

/** Everything that is in a topic at the moment. No partition may end with the end of a transaction. */
export async function readAll(url: string, topic: string, admin: Admin): Promise<KafkaRecord[]> {
  const ends = await admin.fetchTopicOffsets(topic);
  const open = new Map(
    ends.filter(({ low, high }) => low !== high).map((end) => [end.partition, BigInt(end.high)]),
  );
  const records: KafkaRecord[] = [];
  if (open.size === 0) return records;
  const consumer = clientFor(url).consumer({
    groupId: `${topic}.reader.${crypto.randomUUID()}`,
    maxWaitTimeInMs: 100,
  });
  const over = Promise.withResolvers<void>();
  consumer.on("consumer.crash", ({ payload }) => over.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { key, value, headers, offset } }) => {
        const end = open.get(partition);
        if (end === undefined) return;
        records.push({ partition, key, value, ...(headers ? { headers } : {}) });
        if (BigInt(offset) + 1n >= end) open.delete(partition);
        if (open.size === 0) over.resolve();
      },
    });
    await over.promise;
  } finally {
    await consumer.disconnect();
  }
  return records;
}
