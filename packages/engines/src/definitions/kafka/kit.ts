import type { Kit, Session } from "../../conformance/kit.ts";
import { clientFor, createTopics, readAll } from "./client.ts";

/** The value of a key is its last record's. */
async function connect(url: string): Promise<Session> {
  const topic = `${new URL(url).pathname.slice(1)}.kit`;
  const kafka = clientFor(url);
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await admin.connect();
  await producer.connect();
  let known = "";
  let values = new Map<string, string>();
  const there = async () => (await admin.listTopics()).includes(topic);
  return {
    async set(key, value) {
      if (!(await there())) await createTopics(admin, [{ topic }]);
      await producer.send({ topic, acks: -1, messages: [{ key, value }] });
    },
    async get(key) {
      if (!(await there())) return undefined;
      const [end] = await admin.fetchTopicOffsets(topic);
      if (end && end.high !== known) {
        const records = await readAll(url, topic, admin);
        values = new Map(records.map((each) => [String(each.key), String(each.value)]));
        known = end.high;
      }
      return values.get(key);
    },
    async close() {
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    },
  };
}

export const kit: Kit = {
  connect,
  reconnects: true,
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
