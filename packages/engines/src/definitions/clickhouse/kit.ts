import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const { username, pathname } = new URL(url);
  // The stand-in has no users, and an external server may not let us make any.
  const ownUser = username !== "" && pathname === `/${username}`;
  const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
  const first = await client.ping();
  if (!first.success) throw first.error;
  return {
    async set(key, value) {
      await client.command({
        query:
          "CREATE TABLE IF NOT EXISTS kit (key String, value String) ENGINE ReplacingMergeTree ORDER BY key",
      });
      await client.insert({ table: "kit", values: [{ key, value }], format: "JSONEachRow" });
    },
    async get(key) {
      const there = await client.query({ query: "EXISTS TABLE kit", format: "JSONEachRow" });
      const [{ result }] = (await there.json<{ result: number }>()) as [{ result: number }];
      if (!result) return undefined;
      const found = await client.query({
        query: "SELECT value FROM kit FINAL WHERE key = {key: String}",
        query_params: { key },
        format: "JSONEachRow",
      });
      return (await found.json<{ value: string }>())[0]?.value;
    },
    ...(ownUser ? { administer: () => client.command({ query: "CREATE USER kit_intruder" }) } : {}),
    close: () => client.close(),
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
