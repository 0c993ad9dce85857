import kafkajs, { type Admin } from "kafkajs";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";
import { clientFor, readAll, withAdmin } from "./client.ts";

/**
 * The last message of a template's partition. What transactions leave at the end of one has an offset,
 * and never comes: a reader would wait for it.
 */
const sealed = "kata-sealed";
const seal = { key: sealed, value: null, headers: { [sealed]: "yes" } };

/**
 * A namespace is a prefix of topics and groups, which its address names: in
 * `kafka://127.0.0.1:9092/kata_1` they are called `kata_1.…`. Nothing enforces it.
 */
export class TopicNamespaces implements Databases {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** A prefix is there without further ado. */
  async create(): Promise<void> {}

  exists(name: string): Promise<boolean> {
    return this.#asked(async (admin) => (await topicsOf(name, admin)).length > 0);
  }

  async copy(from: string, to: string): Promise<void> {
    const url = this.#server.adminUrl;
    await this.#asked(async (admin) => {
      const topics = await topicsOf(from, admin);
      if (topics.length === 0) return;
      const named = (topic: string) => `${to}${topic.slice(from.length)}`;
      const { topics: described } = await admin.fetchTopicMetadata({ topics });
      await admin.createTopics({
        waitForLeaders: true,
        topics: await Promise.all(
          described.map(async ({ name, partitions }) => ({
            topic: named(name),
            numPartitions: partitions.length,
            configEntries: await settingsOf(name, admin),
          })),
        ),
      });
      const producer = clientFor(url).producer();
      await producer.connect();
      try {
        for (const { name, partitions } of described) {
          await producer.send({
            topic: name,
            messages: partitions.map(({ partitionId }) => ({ ...seal, partition: partitionId })),
          });
          const all = await readAll(url, name, admin);
          const messages = all.filter(({ headers }) => !headers?.[sealed]);
          if (messages.length > 0) await producer.send({ topic: named(name), messages });
        }
      } finally {
        await producer.disconnect();
      }
    });
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
