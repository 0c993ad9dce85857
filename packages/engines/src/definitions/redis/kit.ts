import { Redis } from "ioredis";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // It would wait for a server that loads.
    enableReadyCheck: false,
  });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    throw error;
  }
  return {
    // A transaction of two commands, as applications write: Redis replays those by other rules
    // than single commands when it comes back.
    async set(key, value) {
      const results = await client
        .multi()
        .set(key, value)
        .hincrby("writes", key, 1)
        .exec()
        // EXEC says only that something was refused; the reason came with the command.
        .catch((error: Error & { previousErrors?: Error[] }) => {
          throw error.previousErrors?.[0] ?? error;
        });
      for (const [error] of results ?? []) if (error) throw error;
    },
    get: async (key) => (await client.get(key)) ?? undefined,
    administer: () => client.config("SET", "appendonly", "no"),
    close: async () => client.disconnect(),
  };
}

export const kit: Kit = {
  connect,
  requests: { set: "EXEC", get: "GET key" },
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
