import kafkajs, { type Admin, type ITopicConfig, type TopicMessages } from "kafkajs";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";
import { clientFor, createTopics, type KafkaRecord, readAll, withAdmin } from "./client.ts";

/**
 * The last message of a template's partition. What transactions leave at the end of one has an offset,
 * and never comes: a reader would wait for it.
 */
const sealed = "kata-sealed";
const seal = { key: sealed, value: null, headers: { [sealed]: "yes" } };

interface Topic {
  readonly name: string;
  readonly config: Omit<ITopicConfig, "topic">;
  readonly messages: KafkaRecord[];
}

/**
 * A namespace is a prefix of topics and groups, which its address names: in
 * `kafka://127.0.0.1:9092/kata_1` they are called `kata_1.…`. Nothing enforces it.
 */
export class TopicNamespaces implements Databases {
  readonly #server: Server;
  /** What has been read of those that were copied, which nobody changes any more. */
  readonly #read = new Map<string, Promise<Topic[]>>();

  constructor(server: Server) {
    this.#server = server;
  }

  /** A prefix is there without further ado. */
  async create(name: string): Promise<void> {
    this.#read.delete(name);
  }

  exists(name: string): Promise<boolean> {
    return this.#asked(async (admin) => (await topicsOf(name, admin)).length > 0);
  }

  async copy(from: string, to: string): Promise<void> {
    let read = this.#read.get(from);
    if (!read) {
      read = this.#readTopics(from);
      this.#read.set(from, read);
      read.catch(() => this.#read.delete(from));
    }
    const topics = await read;
    if (topics.length === 0) return;
    const named = ({ name }: Topic) => `${to}${name.slice(from.length)}`;
    await this.#asked((admin) =>
      createTopics(
        admin,
        topics.map((each) => ({ ...each.config, topic: named(each) })),
      ),
    );
    const written = topics.filter(({ messages }) => messages.length > 0);
    await this.#send(written.map((each) => ({ topic: named(each), messages: each.messages })));
  }

  drop(name: string): Promise<void> {
    return this.#asked(async (admin) => {
      const topics = await topicsOf(name, admin);
      if (topics.length > 0) await admin.deleteTopics({ topics });
      if (this.#server.provider !== "external") return;
      const { groups } = await admin.listGroups();
      const ids = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${name}.`));
      if (ids.length > 0) await admin.deleteGroups(ids);
    });
  }

  url(name: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  async close(): Promise<void> {}

  #readTopics(from: string): Promise<Topic[]> {
    return this.#asked(async (admin) => {
      const names = await topicsOf(from, admin);
      if (names.length === 0) return [];
      const { topics } = await admin.fetchTopicMetadata({ topics: names });
      await this.#send(
        topics.map(({ name, partitions }) => ({
          topic: name,
          messages: partitions.map(({ partitionId }) => ({ ...seal, partition: partitionId })),
        })),
      );
      return Promise.all(
        topics.map(async ({ name, partitions }) => {
          const all = await readAll(this.#server.adminUrl, name, admin);
          return {
            name,
            config: {
              numPartitions: partitions.length,
              configEntries: await settingsOf(name, admin),
            },
            messages: all.filter(({ headers }) => !headers?.[sealed]),
          };
        }),
      );
    });
  }

  async #send(topicMessages: TopicMessages[]): Promise<void> {
    if (topicMessages.length === 0) return;
    const producer = clientFor(this.#server.adminUrl).producer();
    await producer.connect();
    try {
      await producer.sendBatch({ topicMessages });
    } finally {
      await producer.disconnect();
    }
  }

  #asked<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    return withAdmin(this.#server.adminUrl, work);
  }
}

async function topicsOf(name: string, admin: Admin): Promise<string[]> {
  return (await admin.listTopics()).filter((topic) => topic.startsWith(`${name}.`));
}

/** What was set for this topic, and is not the broker's default. */
async function settingsOf(name: string, admin: Admin): Promise<{ name: string; value: string }[]> {
  const { ConfigResourceTypes, ConfigSource } = kafkajs;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name }],
  });
  return resources
    .flatMap(({ configEntries }) => configEntries)
    .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG)
    .map(({ configName, configValue }) => ({ name: configName, value: configValue }));
}
