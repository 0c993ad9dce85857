import { fileURLToPath } from "node:url";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(fileURLToPath(url));
  database.exec("CREATE TABLE IF NOT EXISTS kit (key TEXT PRIMARY KEY, value TEXT)");
  return {
    set: async (key, value) =>
      void database.prepare("INSERT OR REPLACE INTO kit VALUES (?, ?)").run(key, value),
    get: async (key) =>
      database.prepare("SELECT value FROM kit WHERE key = ?").get(key)?.value as string | undefined,
    close: async () => database.close(),
  };
}

export const kit: Kit = {
  connect,
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
