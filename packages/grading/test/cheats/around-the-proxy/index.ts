import { Redis } from "ioredis";

/** Asks Redis where it listens, and then asks there. */
export default {
  async createNode({ redis }: { redis: string }) {
    return {
      async answer() {
        const around = new URL(redis);
        const server = await ask(redis, (client) => client.info("server"));
        around.port = /^tcp_port:(\d+)/m.exec(server)?.[1] ?? "";
        return Number(await ask(around.href, (client) => client.get("answer")));
      },
    };
  },
};

async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  let cause: Error | undefined;
  client.on("error", (error) => {
    cause = error;
  });
  try {
    await client.connect();
    return await question(client);
  } catch (error) {
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
